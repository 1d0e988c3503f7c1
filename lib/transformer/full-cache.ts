import type { Rope } from '../attention/position/rope-frequencies';
import { createCopyMarks } from './copy-marks';
import { ropeOf, rotateInto } from './rope';
import type { AttentionCache, AttentionPart, ProjectedRows, TransformerConfig } from './types';

interface Head {
  count: number;
  keys: Float32Array;
  values: Float32Array;
  positions: Int32Array;
}

/** The plain cache: every token's key and value, in f32, at its own position. */
export interface FullCache extends AttentionCache {
  /** Tokens held. */
  readonly tokens: number;
  /** Forgets everything from a text position on. */
  truncate(position: number): void;
}

/** @param config the model's */
export function createFullCache(config: TransformerConfig): FullCache {
  const rope: Rope = ropeOf(config);
  const { headSize, kvHeads, layers } = config;
  const heads: Head[] = Array.from({ length: layers * kvHeads }, () => ({
    count: 0,
    keys: new Float32Array(0),
    values: new Float32Array(0),
    positions: new Int32Array(0),
  }));
  const headOf = (layer: number, kvHead: number) => heads[layer * kvHeads + kvHead]!;
  const marks = createCopyMarks(heads.length);

  function reserve(head: Head, count: number): void {
    if (count <= head.positions.length) return;
    const capacity = Math.max(count, head.positions.length * 2, 64);
    head.keys = grown(head.keys, capacity * headSize);
    head.values = grown(head.values, capacity * headSize);
    const positions = new Int32Array(capacity);
    positions.set(head.positions);
    head.positions = positions;
  }

  return {
    perQuery: false,
    get tokens() {
      return heads[0]?.count ?? 0;
    },
    append(layer: number, { rows, keys, values, positions }: ProjectedRows) {
      for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
        const head = headOf(layer, kvHead);
        reserve(head, head.count + rows);
        for (let row = 0; row < rows; row++) {
          const from = (row * kvHeads + kvHead) * headSize;
          const to = head.count * headSize;
          rotateInto(keys, from, positions[row]!, rope, head.keys, to);
          head.values.set(values.subarray(from, from + headSize), to);
          head.positions[head.count++] = positions[row]!;
        }
      }
    },
    queryIndex: (_layer, _kvHead, position) => position,
    parts(layer, kvHead): readonly AttentionPart[] {
      const { count, keys, values, positions } = headOf(layer, kvHead);
      return [{ count, keys, values, positions: positions.subarray(0, count) }];
    },
    truncate(position) {
      heads.forEach((head, at) => {
        while (head.count > 0 && head.positions[head.count - 1]! >= position) head.count--;
        marks.limit(at, head.count);
      });
    },
    copied: {
      storage: 'f32',
      positions: (layer, kvHead) => {
        const { count, positions } = headOf(layer, kvHead);
        return positions.subarray(0, count);
      },
      indicesOf: (_layer, _kvHead, positions) => ({ keys: positions, queries: positions }),
      mark: (layer, kvHead) => marks.mark(layer * kvHeads + kvHead, 0, headOf(layer, kvHead).count),
      same: (layer, kvHead, mark) =>
        marks.same(layer * kvHeads + kvHead, mark, 0, headOf(layer, kvHead).count),
    },
  };
}

function grown(values: Float32Array, length: number): Float32Array {
  const larger = new Float32Array(length);
  larger.set(values);
  return larger;
}
