import type { SessionFactory } from '../../../lib/cache/types';
import { ASK, BOS } from '../../../lib/tasks/vocabulary';
import { solve } from '../tasks/solve';

/** What was asked of a session, in order. */
export type Call =
  | { readonly call: 'prefill'; readonly knows: readonly number[] | undefined }
  | { readonly call: 'ask'; readonly question: readonly number[] }
  | { readonly call: 'rewind' };

/**
 * Sessions of a reader without a model: it answers from the tokens of the context that it keeps.
 *
 * @param keeps whether the token at a place of a context of so many tokens is kept
 */
export function readerSessions(
  keeps: (at: number, contextTokens: number) => boolean,
  calls: Call[] = [],
): SessionFactory {
  return {
    label: 'reader',
    open(model) {
      const { layers, kvHeads } = model.config;
      let kept: number[] = [];
      let seen = 0;
      let slots = 0;
      return {
        prefill(context, { question } = {}) {
          calls.push({ call: 'prefill', knows: question });
          kept = context.map((token, at) => (keeps(at, context.length) ? token : BOS));
          slots = context.filter((_, at) => keeps(at, context.length)).length;
          seen = context.length;
        },
        ask(question, count) {
          calls.push({ call: 'ask', question });
          const asked = question.includes(ASK)
            ? question.slice(question.lastIndexOf(ASK))
            : question;
          const answer = new Array<number>(count).fill(BOS);
          const turn = { kind: 'fact', question: asked, answer, evidence: [], depth: 0 };
          try {
            return solve(kept, turn).slice(0, count);
          } catch {
            return [];
          }
        },
        rewind: () => void calls.push({ call: 'rewind' }),
        ledger: () => ({
          layers: Array.from({ length: layers }, (_, layer) => ({
            layer,
            tier: layer === 0 ? ('host' as const) : ('device' as const),
            bytes: {
              payload: 100 * slots,
              scales: 4 * slots,
              indices: 1,
              factors: 2,
              summaries: 3,
              positions: 0,
            },
          })),
          slots: Array.from({ length: layers }, () => new Array<number>(kvHeads).fill(slots)),
          tokensSeen: seen,
          movedBytes: 7,
          recomputedTokenLayers: 5,
        }),
        slots: () => [],
        dropped: () => [],
      };
    },
  };
}
