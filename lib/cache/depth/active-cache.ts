import { attendRow } from '../../transformer/attend';
import { ropeOf, rotateInto } from '../../transformer/reference';
import type {
  AttentionCache,
  AttentionPart,
  ProjectedRows,
  TransformerConfig,
} from '../../transformer/types';
import type { RowCache } from '../rows/row-cache';

export interface ActiveCache {
  readonly cache: AttentionCache;
  /** Shows the given positions and everything from one on, and nothing else. */
  show(positions: readonly number[], from: number): void;
  /** Notes the queries of a layer. */
  watch(layer: number, rows: ProjectedRows): void;
  /** Mean over heads of the attention of the last row that ran, by text position. */
  lastAttention(layer: number): ReadonlyMap<number, number>;
}

/** A row cache of which a step sees a part. */
export function createActiveCache(config: TransformerConfig, rows: RowCache): ActiveCache {
  const { heads, kvHeads, headSize } = config;
  const group = heads / kvHeads;
  const rope = ropeOf(config);
  let shown: ReadonlySet<number> = new Set();
  let openFrom = 0;
  let last: { readonly queries: Float32Array; readonly position: number } | undefined;

  function parts(layer: number, kvHead: number): readonly AttentionPart[] {
    const { positions, rotated, values } = rows.head(layer, kvHead);
    const chosen: number[] = [];
    positions.forEach((position, row) => {
      if (position >= openFrom || shown.has(position)) chosen.push(row);
    });
    const keys = new Float32Array(chosen.length * headSize);
    const seen = new Float32Array(chosen.length * headSize);
    chosen.forEach((row, i) => {
      keys.set(rotated.subarray(row * headSize, (row + 1) * headSize), i * headSize);
      seen.set(values.subarray(row * headSize, (row + 1) * headSize), i * headSize);
    });
    const at = Int32Array.from(chosen, (row) => positions[row]!);
    return [{ count: chosen.length, keys, values: seen, positions: at }];
  }

  return {
    cache: { append: rows.append, queryIndex: rows.queryIndex, perQuery: false, parts },
    show(positions, from) {
      shown = new Set(positions);
      openFrom = from;
    },
    watch(_, { rows: count, queries, positions }) {
      last = {
        queries: queries.slice((count - 1) * heads * headSize),
        position: positions[count - 1]!,
      };
    },
    lastAttention(layer) {
      const scores = new Map<number, number>();
      const rotated = new Float32Array(group * headSize);
      const { queries, position } = last!;
      for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
        for (let head = 0; head < group; head++) {
          const from = (kvHead * group + head) * headSize;
          rotateInto(queries, from, position, rope, rotated, head * headSize);
        }
        const held = parts(layer, kvHead);
        const { weights } = attendRow(rotated, group, headSize, position, held, true);
        const { count, positions } = held[0]!;
        weights[0]!.forEach((weight, i) => {
          const place = positions[i % count]!;
          scores.set(place, (scores.get(place) ?? 0) + weight / heads);
        });
      }
      return scores;
    },
  };
}
