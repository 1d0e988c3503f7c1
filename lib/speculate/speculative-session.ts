import type { CacheSession, LayerBytes, SessionFactory } from '../cache/types';
import { createFullCache } from '../transformer/full-cache';
import { prefill } from '../transformer/generate';
import type { Transformer } from '../transformer/types';
import { speculate } from './speculate';
import type { Drafter, SpeculationRound } from './types';

/** A session over the full cache that answers by draft and verify. */
export interface SpeculativeSession extends CacheSession {
  /** Rounds of every answer since the session was opened. */
  readonly rounds: readonly SpeculationRound[];
}

export interface SpeculativeFactory extends SessionFactory {
  readonly draftTokens: number;
  open(model: Transformer): SpeculativeSession;
}

/** A drafter, and what its own cache holds, if it has one. */
export interface DrafterMaker {
  readonly label: string;
  open(model: Transformer): Drafter & { session?(): CacheSession | undefined };
}

/**
 * Greedy decoding with a drafter: the answers of the full cache for any drafter, in fewer runs of
 * the model over it. The drafter is told a text anew at every question.
 */
export function speculative(drafting: DrafterMaker, draftTokens: number): SpeculativeFactory {
  return {
    label: `${drafting.label}, ${draftTokens} tokens`,
    draftTokens,
    open(model) {
      const { layers, kvHeads, headSize } = model.config;
      const cache = createFullCache(model.config);
      const drafter = drafting.open(model);
      const rounds: SpeculationRound[] = [];
      let text: number[] = [];
      let contextTokens = 0;
      let logits: Float32Array = new Float32Array(0);
      let questionRan = false;

      function read(tokens: readonly number[]): void {
        if (tokens.length === 0) return;
        logits = prefill(model, cache, tokens, text.length);
        text = [...text, ...tokens];
      }
      return {
        rounds,
        prefill(context, { question } = {}) {
          read(context);
          contextTokens = context.length;
          questionRan = question !== undefined;
          if (question) read(question);
        },
        ask(question, count, stop) {
          const before = questionRan ? text.slice(0, text.length - question.length) : text;
          if (!questionRan) read(question);
          questionRan = false;
          drafter.begin({ context: before, question });
          const options = { drafter, draftTokens };
          const done = speculate(model, cache, logits, text.length, count, stop, options);
          rounds.push(...done.rounds);
          text = [...text, ...done.tokens].slice(0, cache.tokens);
          return [...done.tokens];
        },
        rewind() {
          cache.truncate(contextTokens);
          text = text.slice(0, contextTokens);
          questionRan = false;
        },
        ledger() {
          const payload = 2 * 4 * headSize * kvHeads * cache.tokens;
          const own: LayerBytes[] = Array.from({ length: layers }, (_, layer) => ({
            layer,
            tier: 'device',
            bytes: { payload, scales: 0, indices: 0, factors: 0, summaries: 0, positions: 0 },
          }));
          const drafted = drafter.session?.()?.ledger();
          return {
            layers: [...own, ...(drafted?.layers ?? [])],
            slots: own.map(() => Array.from({ length: kvHeads }, () => cache.tokens)),
            tokensSeen: cache.tokens,
            movedBytes: drafted?.movedBytes ?? 0,
            recomputedTokenLayers: drafted?.recomputedTokenLayers ?? 0,
          };
        },
        slots: () =>
          Array.from({ length: cache.tokens }, (_, position) => ({
            position,
            multiplicity: 1,
            state: 'kept',
            bytes: 2 * 4 * headSize,
          })),
        dropped: () => [],
      };
    },
  };
}
