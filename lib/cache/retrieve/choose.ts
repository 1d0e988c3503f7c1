import type { PhasedQuery } from './types';

/** Numbers of the largest scores, ascending; the first of equals. */
export function topIndices(scores: ArrayLike<number>, count: number): Int32Array {
  const order = Array.from({ length: scores.length }, (_, i) => i);
  order.sort((a, b) => scores[b]! - scores[a]! || a - b);
  return Int32Array.from(order.slice(0, count)).sort();
}

/** Rows of the chosen blocks of equal length, ascending; the last block may be short. */
export function rowsOfBlocks(blocks: Int32Array, blockTokens: number, count: number): Int32Array {
  const out: number[] = [];
  for (const block of blocks) {
    const end = Math.min(count, (block + 1) * blockTokens);
    for (let row = block * blockTokens; row < end; row++) out.push(row);
  }
  return Int32Array.from(out);
}

/** Both, ascending and without repeats. */
export function union(a: Int32Array, b: Int32Array): Int32Array {
  return Int32Array.from(new Set([...a, ...b])).sort();
}

export function dot(
  a: ArrayLike<number>,
  atA: number,
  b: ArrayLike<number>,
  atB: number,
  length: number,
): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += a[atA + i]! * b[atB + i]!;
  return sum;
}

/** Softmax in place. */
export function softmax(scores: Float64Array): Float64Array {
  let largest = -Infinity;
  for (const score of scores) largest = Math.max(largest, score);
  let total = 0;
  for (let i = 0; i < scores.length; i++) {
    scores[i] = Math.exp(scores[i]! - largest);
    total += scores[i]!;
  }
  for (let i = 0; i < scores.length; i++) scores[i] = scores[i]! / total;
  return scores;
}

/** @throws RangeError for a share outside (0, 1] */
export function checkShare(share: number): void {
  if (!(share > 0 && share <= 1)) {
    throw new RangeError(`invalid share: ${share} (expected above 0, up to 1)`);
  }
}

/** Whole tokens in a share of a context, at least one; a share that came from a count gives it back. */
export function tokensIn(share: number, contextTokens: number): number {
  return Math.max(1, Math.floor(share * contextTokens + 1e-6));
}

/** @throws RangeError unless a positive integer */
export function checkCount(name: string, value: number): void {
  if (!(Number.isInteger(value) && value > 0)) {
    throw new RangeError(`invalid ${name}: ${value} (expected a positive integer)`);
  }
}

/**
 * While an answer is written, asks anew only at every `interval`-th text position; in between the
 * choice is used again. Every token of a question chooses for itself.
 */
export function everyPositions<Query extends Pick<PhasedQuery, 'phase' | 'position'>>(
  interval: number,
  choose: (query: Query) => Int32Array,
): { choose(query: Query): Int32Array; reset(): void } {
  let next = -Infinity;
  let held = new Int32Array(0);
  return {
    choose(query) {
      if (query.phase === 'question') {
        next = -Infinity;
        return choose(query);
      }
      if (query.position >= next) {
        held = Int32Array.from(choose(query));
        next = query.position + interval;
      }
      return held;
    },
    reset() {
      next = -Infinity;
    },
  };
}
