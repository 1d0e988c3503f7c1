import { exponential } from './exponential';
import { MASKED, NOTHING_SEEN } from './scratch';

// Softmax of whole rows of scores, not online: a row's scores are kept until its values are added, and
// may be asked for as attention weights.

/** Adds log multiplicities to `count` scores, a multiple of 4. */
export function addTo(scores: usize, added: usize, count: usize): void {
  const end = scores + 4 * count;
  while (scores < end) {
    v128.store(scores, f32x4.add(v128.load(scores), v128.load(added)));
    scores += 16;
    added += 16;
  }
}

/**
 * Masks the scores of slots at later text positions.
 *
 * @param scores first of `count`, a multiple of 4
 * @param positions i32 [count]
 */
export function maskLater(scores: usize, positions: usize, count: usize, position: i32): void {
  const end = scores + 4 * count;
  const own = i32x4.splat(position);
  const masked = f32x4.splat(MASKED);
  while (scores < end) {
    const isLater = i32x4.gt_s(v128.load(positions), own);
    v128.store(scores, v128.bitselect(masked, v128.load(scores), isLater));
    scores += 16;
    positions += 16;
  }
}

/** Masks what a last four holds past the end of a row of `count` scores. */
export function maskPast(scores: usize, count: usize): void {
  for (let i = count; i < ((count + 3) & ~3); i++) store<f32>(scores + 4 * i, MASKED);
}

@inline
function largestLane(x: v128): f32 {
  const a = f32x4.pmax(x, v128.shuffle<f32>(x, x, 2, 3, 0, 1));
  const b = f32x4.pmax(a, v128.shuffle<f32>(a, a, 1, 0, 3, 2));
  return f32x4.extract_lane(b, 0);
}

/**
 * exp(score - maximum) in place over `count` scores, a multiple of 4; 0 where every score is masked.
 *
 * @param statistics f32 [2]: the maximum and the sum of the exponentials are left there
 */
export function exponentiate(scores: usize, count: usize, statistics: usize): void {
  const bytes: usize = 4 * count;
  let largest = f32x4.splat(MASKED);
  for (let at = scores; at < scores + bytes; at += 16) {
    largest = f32x4.pmax(largest, v128.load(at));
  }
  const maximum = largestLane(largest);
  store<f32>(statistics, maximum);
  if (maximum < NOTHING_SEEN) {
    memory.fill(scores, 0, bytes);
    store<f32>(statistics, 0, 4);
    return;
  }
  const shift = f32x4.splat(maximum);
  let sums = f32x4.splat(0);
  for (let at = scores; at < scores + bytes; at += 16) {
    const weight = exponential(f32x4.sub(v128.load(at), shift));
    v128.store(at, weight);
    sums = f32x4.add(sums, weight);
  }
  const sum =
    f32x4.extract_lane(sums, 0) +
    f32x4.extract_lane(sums, 1) +
    (f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3));
  store<f32>(statistics, sum, 4);
}

/** out[i] = factor * from[i], `count` values of any number. */
export function scaleInto(from: usize, out: usize, count: usize, factor: f32): void {
  const factors = f32x4.splat(factor);
  const wholeEnd = from + 4 * (count & ~3);
  const end = from + 4 * count;
  while (from < wholeEnd) {
    v128.store(out, f32x4.mul(v128.load(from), factors));
    from += 16;
    out += 16;
  }
  while (from < end) {
    store<f32>(out, load<f32>(from) * factor);
    from += 4;
    out += 4;
  }
}
