import type { Rope } from '../../attention/position/rope-frequencies';

/** Rotates runs of keys by whole RoPE indices. */
export interface Rotation {
  /**
   * @param keys before RoPE, [indices.length, headSize]
   * @param to where the rotated keys go, from row `row` on
   */
  rotate(keys: Float32Array, indices: Int32Array, to: Float32Array, row: number): void;
  /** The inverse, of one row in place. */
  undo(key: Float32Array, index: number): void;
}

/** Cosines and sines are kept per index: a cache reads the same few hundred again and again. */
export function createRotation(rope: Rope): Rotation {
  const half = rope.headSize / 2;
  let known = 0;
  let cosines = new Float64Array(0);
  let sines = new Float64Array(0);

  function reach(index: number): void {
    if (index < known) return;
    const size = Math.max(index + 1, 2 * known, 64);
    cosines = new Float64Array(size * half);
    sines = new Float64Array(size * half);
    for (let i = 0; i < size; i++) {
      for (let pair = 0; pair < half; pair++) {
        const angle = i * rope.frequencies[pair]!;
        cosines[i * half + pair] = rope.attentionFactor * Math.cos(angle);
        sines[i * half + pair] = rope.attentionFactor * Math.sin(angle);
      }
    }
    known = size;
  }

  return {
    rotate(keys, indices, to, row) {
      for (let i = 0; i < indices.length; i++) {
        const index = indices[i]!;
        if (index < 0) throw new RangeError(`invalid RoPE index: ${index} (expected at least 0)`);
        reach(index);
        const from = i * 2 * half;
        const into = (row + i) * 2 * half;
        for (let pair = 0; pair < half; pair++) {
          const cosine = cosines[index * half + pair]!;
          const sine = sines[index * half + pair]!;
          const x = keys[from + pair]!;
          const y = keys[from + pair + half]!;
          to[into + pair] = x * cosine - y * sine;
          to[into + pair + half] = x * sine + y * cosine;
        }
      }
    },
    undo(key, index) {
      reach(index);
      const scale = 1 / rope.attentionFactor ** 2;
      for (let pair = 0; pair < half; pair++) {
        const cosine = cosines[index * half + pair]! * scale;
        const sine = sines[index * half + pair]! * scale;
        const x = key[pair]!;
        const y = key[pair + half]!;
        key[pair] = x * cosine + y * sine;
        key[pair + half] = y * cosine - x * sine;
      }
    },
  };
}
