import type { AttentionCache } from '../../transformer/types';
import { createRowCache, type RowCache } from '../rows/row-cache';
import { openRowSession } from '../rows/row-session';
import type { SessionFactory } from '../types';
import { concatenate, planChunks } from './chunks';

export interface ApeOptions {
  /** T: divides the scores over the chunks. Code's default 0.9. */
  readonly temperature?: number;
  /** S: the chunks' log-sum-exp is multiplied by S times T. Code's default 0.9. */
  readonly scale?: number;
}

/**
 * APE (Yang et al., 2025): every chunk keeps the places right behind the shared prefix, what comes
 * later stands behind the longest chunk, and attends to the chunks with a temperature and a scaled
 * log-sum-exp. Exact for one chunk at temperature and scale 1.
 */
export function apeSession({ temperature = 0.9, scale = 0.9 }: ApeOptions = {}): SessionFactory {
  if (!(temperature > 0)) {
    throw new RangeError(`invalid temperature: ${temperature} (expected above 0)`);
  }
  if (!(scale > 0)) throw new RangeError(`invalid scale: ${scale} (expected above 0)`);
  return {
    label: `APE, T ${temperature}, S ${scale}`,
    open(model) {
      let indexOf = (position: number) => position;
      const rows = createRowCache(model.config, { indexOf: (position) => indexOf(position) });
      let prefixEnd = 0;
      let contextEnd = 0;
      return openRowSession(model, {
        rows,
        cache: {
          ...attentionOf(rows),
          parts(layer, kvHead) {
            const { positions, rotated, values } = rows.head(layer, kvHead);
            const { headSize } = model.config;
            const cut = (from: number, to: number) => ({
              count: to - from,
              keys: rotated.subarray(from * headSize, to * headSize),
              values: values.subarray(from * headSize, to * headSize),
              positions: positions.subarray(from, to),
            });
            return [
              cut(0, prefixEnd),
              { ...cut(prefixEnd, contextEnd), temperature, lseScale: scale * temperature },
              cut(contextEnd, positions.length),
            ];
          },
        },
        encode(context, chunkStarts) {
          const plan = planChunks(context, chunkStarts, model.config.bosToken);
          prefixEnd = plan.prefixEnd;
          contextEnd = context.length;
          indexOf = parallelIndex(plan.prefixEnd, plan.chunks, context.length);
          concatenate(model, rows, context, plan);
        },
      });
    },
  };
}

/** RoPE index under a shared start: chunks overlap behind the prefix, later text follows the longest. */
export function parallelIndex(
  prefixEnd: number,
  chunks: readonly (readonly [number, number])[],
  contextEnd: number,
): (position: number) => number {
  const indices = Int32Array.from({ length: contextEnd }, (_, position) => position);
  let longest = 0;
  for (const [start, end] of chunks) {
    longest = Math.max(longest, end - start);
    for (let position = start; position < end; position++) {
      indices[position] = prefixEnd + position - start;
    }
  }
  const behind = prefixEnd + longest - contextEnd;
  return (position) => (position < contextEnd ? indices[position]! : position + behind);
}

function attentionOf({ append, queryIndex, parts, perQuery }: RowCache): AttentionCache {
  return { append, queryIndex, parts, perQuery };
}
