import { makeRope, type Rope } from '../attention/position/rope-frequencies';
import type { TransformerConfig } from './types';

/** Most that the cosines and sines of one table may take; an index past them is computed each time. */
const MAX_TABLE_BYTES = 16 * 2 ** 20;
const FIRST_ROWS = 64;

/** The rotary encoding of a model. */
export function ropeOf(config: TransformerConfig): Rope {
  return makeRope({
    headSize: config.headSize,
    base: config.ropeTheta,
    pairing: 'half-split',
    scaling: config.ropeScaling,
  });
}

/** Rotates one head's vector, read from `from[at..]` into `to[into..]`, by a RoPE index. */
export type Rotate = (
  from: Float32Array,
  at: number,
  index: number,
  to: Float32Array,
  into: number,
) => void;

/**
 * Rotation by cosines and sines that are kept per index, [indices][2][headSize / 2] in f64: the same
 * numbers as computed afresh.
 */
export function makeRotate(rope: Rope): Rotate {
  const half = rope.headSize / 2;
  const maxRows = Math.floor(MAX_TABLE_BYTES / (8 * rope.headSize));
  const single = new Float64Array(rope.headSize);
  let table = new Float64Array(0);
  let rows = 0;

  function fill(values: Float64Array, start: number, index: number): void {
    for (let pair = 0; pair < half; pair++) {
      const angle = index * rope.frequencies[pair]!;
      values[start + pair] = rope.attentionFactor * Math.cos(angle);
      values[start + half + pair] = rope.attentionFactor * Math.sin(angle);
    }
  }

  function growTo(index: number): void {
    const capacity = Math.min(maxRows, Math.max(FIRST_ROWS, 2 * (index + 1)));
    const larger = new Float64Array(capacity * rope.headSize);
    larger.set(table);
    for (let row = rows; row < capacity; row++) fill(larger, row * rope.headSize, row);
    table = larger;
    rows = capacity;
  }

  return (from, at, index, to, into) => {
    let values = table;
    let start = index * rope.headSize;
    if (index >= 0 && index < maxRows && Number.isInteger(index)) {
      if (index >= rows) growTo(index);
      values = table;
    } else {
      fill(single, 0, index);
      values = single;
      start = 0;
    }
    for (let pair = 0; pair < half; pair++) {
      const cosine = values[start + pair]!;
      const sine = values[start + half + pair]!;
      const x = from[at + pair]!;
      const y = from[at + pair + half]!;
      to[into + pair] = x * cosine - y * sine;
      to[into + pair + half] = x * sine + y * cosine;
    }
  };
}

const rotations = new WeakMap<Rope, Rotate>();

/** `makeRotate`'s rotation, its table kept as long as the encoding. */
export function rotateInto(
  from: Float32Array,
  at: number,
  index: number,
  rope: Rope,
  to: Float32Array,
  into: number,
): void {
  let rotate = rotations.get(rope);
  if (rotate === undefined) {
    rotate = makeRotate(rope);
    rotations.set(rope, rotate);
  }
  rotate(from, at, index, to, into);
}
