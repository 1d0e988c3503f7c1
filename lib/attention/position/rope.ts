import type { Rope } from './rope-frequencies';

/** Channels of pair `pair`. */
function channelsOf({ headSize, pairing }: Rope, pair: number): readonly [number, number] {
  return pairing === 'interleaved' ? [2 * pair, 2 * pair + 1] : [pair, pair + headSize / 2];
}

/**
 * Every pair of a row's channels turned by its angle and stretched: the one loop under RoPE, its
 * inverse, re-rotation and xPos.
 *
 * @param rows [rows, headSize], row-major
 * @param turns angle of a row in positions, [rows], or [rows, axes] where the encoding has several
 * @param stretchOf factor of a row and pair
 */
export function turnRows(
  rows: ArrayLike<number>,
  turns: ArrayLike<number>,
  rope: Rope,
  stretchOf: (row: number, pair: number) => number,
): Float64Array {
  const { headSize, frequencies, axes } = rope;
  const parts = axes?.count ?? 1;
  const count = turns.length / parts;
  if (rows.length !== count * headSize) {
    throw new RangeError(
      `invalid rows length: ${rows.length} (expected ${count} positions x headSize ${headSize})`,
    );
  }
  const turned = new Float64Array(rows.length);
  for (let pair = 0; pair < headSize / 2; pair++) {
    const [first, second] = channelsOf(rope, pair);
    const axis = axes?.ofPair[pair] ?? 0;
    for (let row = 0; row < count; row++) {
      const angle = turns[row * parts + axis]! * frequencies[pair]!;
      const stretch = stretchOf(row, pair);
      const cosine = stretch * Math.cos(angle);
      const sine = stretch * Math.sin(angle);
      const x = rows[row * headSize + first]!;
      const y = rows[row * headSize + second]!;
      turned[row * headSize + first] = x * cosine - y * sine;
      turned[row * headSize + second] = x * sine + y * cosine;
    }
  }
  return turned;
}

/**
 * Rotary position embedding (Su et al. 2021): pair i of row r turned by positions[r] x
 * frequencies[i], times the attention factor. The dot product of two encoded rows depends on the
 * difference of their positions only.
 *
 * @param rows [rows, headSize], queries or keys
 * @param positions [rows], or [rows, axes]; any real numbers
 * @returns [rows, headSize]
 * @throws RangeError where lengths do not fit
 */
export function applyRope(
  rows: ArrayLike<number>,
  positions: ArrayLike<number>,
  rope: Rope,
): Float64Array {
  return turnRows(rows, positions, rope, () => rope.attentionFactor);
}

/** Inverse of `applyRope` at the same positions. */
export function undoRope(
  rows: ArrayLike<number>,
  positions: ArrayLike<number>,
  rope: Rope,
): Float64Array {
  return turnRows(rows, negated(positions), rope, () => 1 / rope.attentionFactor);
}

/**
 * Moves encoded keys to other positions by one rotation, R(to - from) k: equal to encoding the raw
 * keys at `to`. Values know no position. Rounding adds up over repeated moves of stored keys, so
 * keep raw keys, or the first encoding, where keys move often.
 *
 * @param keys [rows, headSize], encoded at `from` under the same `rope`
 * @param from [rows], or [rows, axes]
 * @param to as `from`
 */
export function rerotate(
  keys: ArrayLike<number>,
  from: ArrayLike<number>,
  to: ArrayLike<number>,
  rope: Rope,
): Float64Array {
  if (from.length !== to.length) {
    throw new RangeError(`invalid to length: ${to.length} (expected ${from.length} as from)`);
  }
  const turns = Float64Array.from(to, (position, row) => position - from[row]!);
  return turnRows(keys, turns, rope, () => 1);
}

function negated(positions: ArrayLike<number>): Float64Array {
  return Float64Array.from(positions, (position) => -position);
}
