import { createRandom } from '../../random/random';
import { createRowCache } from '../rows/row-cache';
import { openRowSession } from '../rows/row-session';
import type { SessionFactory } from '../types';
import { planChunks } from './chunks';
import { type EditRule, editCache, type TextEdit } from './edit';

export type EditKind = 'insert' | 'delete' | 'replace';

export interface EditedSessionOptions {
  readonly rule?: EditRule;
  readonly kind?: EditKind;
  /** Tokens of the edit where the context has no chunks. */
  readonly spanTokens?: number;
  readonly seed?: number;
}

const LABELS: Readonly<Record<EditRule, string>> = {
  pie: 'PIE',
  splice: 'edit without rotation',
  recompute: 'edit, prefix reused',
};

/**
 * A context that is reached by one edit of an earlier version whose cache is kept: a chunk, or a run
 * of tokens at a seeded place, was put in, taken out or exchanged; the edit that a context came about
 * by, where it is given. The cache follows by `editCache`.
 */
export function editedSession(options: EditedSessionOptions = {}): SessionFactory {
  const { rule = 'pie', kind = 'insert', spanTokens = 16, seed = 1 } = options;
  if (!(Number.isInteger(spanTokens) && spanTokens > 0)) {
    throw new RangeError(`invalid spanTokens: ${spanTokens} (expected a positive integer)`);
  }
  return {
    label: `${LABELS[rule]}, ${kind}`,
    open(model) {
      const rows = createRowCache(model.config);
      let recomputed = 0;
      const madeUp = (context: readonly number[], chunkStarts: readonly number[] | undefined) => {
        const plan = planChunks(context, chunkStarts, model.config.bosToken);
        return earlierVersion(context, chosenSpan(plan, spanTokens, seed), kind);
      };
      return openRowSession(model, {
        rows,
        encode(context, chunkStarts, _, given) {
          const { before, edit } = given
            ? { before: given.before, edit: given }
            : madeUp(context, chunkStarts);
          if (before.length > 0) {
            const positions = before.map((_, i) => i);
            model.forward({ tokens: before, positions, cache: rows, logits: 'none' });
          }
          const run = editCache(model, rows, before, edit, rule);
          recomputed = (run - edit.inserted.length) * model.config.layers;
        },
        recomputedTokenLayers: () => recomputed,
      });
    },
  };
}

function chosenSpan(
  { prefixEnd, chunks }: ReturnType<typeof planChunks>,
  spanTokens: number,
  seed: number,
): readonly [number, number] {
  const random = createRandom(seed);
  if (chunks.length > 1) return chunks[random.integer(0, chunks.length - 1)]!;
  const end = chunks[0]?.[1] ?? prefixEnd;
  const length = Math.min(spanTokens, end - prefixEnd);
  const start = random.integer(prefixEnd, end - length);
  return [start, start + length];
}

/** A text that an edit of one kind turns into the context, and that edit. */
export function earlierVersion(
  context: readonly number[],
  [start, end]: readonly [number, number],
  kind: EditKind,
): { readonly before: readonly number[]; readonly edit: TextEdit } {
  const span = context.slice(start, end);
  const head = context.slice(0, start);
  const tail = context.slice(end);
  switch (kind) {
    case 'insert':
      return { before: [...head, ...tail], edit: { start, removed: 0, inserted: span } };
    case 'delete':
      // The span stood there twice.
      return {
        before: [...head, ...span, ...span, ...tail],
        edit: { start: end, removed: span.length, inserted: [] },
      };
    case 'replace':
      return {
        before: [...head, ...span.toReversed(), ...tail],
        edit: { start, removed: span.length, inserted: span },
      };
  }
}
