import { applyRope, turnRows } from './rope';
import type { Rope } from './rope-frequencies';

/**
 * What a model does with positions.
 *
 * - none: nothing (NoPE); order is known from the causal mask alone
 * - rope: queries and keys turn with their positions
 * - xpos: rope, and pair i of a query grows by zeta_i^(position / scaleBase) where a key shrinks by
 *   it, zeta_i = (2i / headSize + gamma) / (1 + gamma): scores decay with distance (Sun et al. 2022)
 * - alibi: a score loses slope per position of distance (Press et al. 2021)
 */
export type PositionEncoding =
  | { readonly type: 'none' }
  | { readonly type: 'rope'; readonly rope: Rope }
  | {
      readonly type: 'xpos';
      readonly rope: Rope;
      readonly gamma: number;
      /** Positions over which a pair changes by its zeta. */
      readonly scaleBase: number;
    }
  | { readonly type: 'alibi'; readonly slope: number };

/** Queries or keys as they enter the dot product, [rows, headSize]. */
export function encodeRows(
  rows: ArrayLike<number>,
  positions: ArrayLike<number>,
  encoding: PositionEncoding,
  role: 'query' | 'key',
): Float64Array {
  switch (encoding.type) {
    case 'none':
    case 'alibi':
      return Float64Array.from(rows);
    case 'rope':
      return applyRope(rows, positions, encoding.rope);
    case 'xpos': {
      const { rope, gamma, scaleBase } = encoding;
      const sign = role === 'query' ? 1 : -1;
      return turnRows(rows, positions, rope, (row, pair) => {
        const zeta = ((2 * pair) / rope.headSize + gamma) / (1 + gamma);
        return rope.attentionFactor * zeta ** ((sign * positions[row]!) / scaleBase);
      });
    }
  }
}

/** What a scaled score gains at a distance, query position - key position. */
export function scoreBias(encoding: PositionEncoding, distance: number): number {
  return encoding.type === 'alibi' ? -encoding.slope * Math.abs(distance) : 0;
}

/**
 * ALiBi's slope of every head, 2^(-8 i / heads) for i = 1..heads (Press et al. 2021).
 *
 * @returns [heads], steepest first
 * @throws RangeError where heads is not a positive integer
 */
export function alibiSlopes(heads: number): Float64Array {
  if (!Number.isInteger(heads) || heads < 1) {
    throw new RangeError(`invalid heads: ${heads} (expected a positive integer)`);
  }
  return Float64Array.from({ length: heads }, (_, head) => 2 ** ((-8 * (head + 1)) / heads));
}
