import { packQueries } from './pack';
import { addTo, exponentiate, maskLater, maskPast, scaleInto } from './part-softmax';
import { scoreRow, weightRow32, weightRow8 } from './row-products';

/** Queries whose scores are held at once; a multiple of the 4 rows of a register tile. */
export const PART_QUERIES: usize = 16;
/** Up to so many queries read keys as rows; more need panels of transposed keys. */
export const MAX_ROW_WISE: usize = 4;

// Rows of scores start in different sets of the cache also where their length is a power of two.
const SCORE_ROW_PADDING: usize = 64;

@inline
function roundUp(count: usize, step: usize): usize {
  return (count + step - 1) & ~(step - 1);
}

/** Bytes of scratch for a part of `count` slots. */
export function partScratchBytes(count: usize, headSize: usize): usize {
  const scoreRowBytes = 4 * roundUp(count, 8) + SCORE_ROW_PADDING;
  return PART_QUERIES * (4 * roundUp(headSize, 4) + 4 * roundUp(headSize, 8) + scoreRowBytes);
}

/** Scores of 4 queries and 8 keys; `query` is [size][4], `keys` [size][8]. */
function scoreFour(
  query: usize,
  keys: usize,
  scores: usize,
  rowBytes: usize,
  size: usize,
  scale: f32,
): void {
  let s00 = f32x4.splat(0);
  let s01 = f32x4.splat(0);
  let s10 = f32x4.splat(0);
  let s11 = f32x4.splat(0);
  let s20 = f32x4.splat(0);
  let s21 = f32x4.splat(0);
  let s30 = f32x4.splat(0);
  let s31 = f32x4.splat(0);
  const end = query + 16 * size;
  while (query < end) {
    const k0 = v128.load(keys);
    const k1 = v128.load(keys, 16);
    let q = v128.load32_splat(query);
    s00 = f32x4.add(s00, f32x4.mul(q, k0));
    s01 = f32x4.add(s01, f32x4.mul(q, k1));
    q = v128.load32_splat(query, 4);
    s10 = f32x4.add(s10, f32x4.mul(q, k0));
    s11 = f32x4.add(s11, f32x4.mul(q, k1));
    q = v128.load32_splat(query, 8);
    s20 = f32x4.add(s20, f32x4.mul(q, k0));
    s21 = f32x4.add(s21, f32x4.mul(q, k1));
    q = v128.load32_splat(query, 12);
    s30 = f32x4.add(s30, f32x4.mul(q, k0));
    s31 = f32x4.add(s31, f32x4.mul(q, k1));
    query += 16;
    keys += 32;
  }
  const factor = f32x4.splat(scale);
  v128.store(scores, f32x4.mul(s00, factor));
  v128.store(scores, f32x4.mul(s01, factor), 16);
  scores += rowBytes;
  v128.store(scores, f32x4.mul(s10, factor));
  v128.store(scores, f32x4.mul(s11, factor), 16);
  scores += rowBytes;
  v128.store(scores, f32x4.mul(s20, factor));
  v128.store(scores, f32x4.mul(s21, factor), 16);
  scores += rowBytes;
  v128.store(scores, f32x4.mul(s30, factor));
  v128.store(scores, f32x4.mul(s31, factor), 16);
}

/** Weighted values of 4 queries, `count` slots and 8 dims. */
function weightFour(
  weights: usize,
  weightRowBytes: usize,
  values: usize,
  valueRowBytes: usize,
  out: usize,
  count: usize,
): void {
  let s00 = f32x4.splat(0);
  let s01 = f32x4.splat(0);
  let s10 = f32x4.splat(0);
  let s11 = f32x4.splat(0);
  let s20 = f32x4.splat(0);
  let s21 = f32x4.splat(0);
  let s30 = f32x4.splat(0);
  let s31 = f32x4.splat(0);
  let weights1 = weights + weightRowBytes;
  let weights2 = weights1 + weightRowBytes;
  let weights3 = weights2 + weightRowBytes;
  const end = weights + 4 * count;
  while (weights < end) {
    const v0 = v128.load(values);
    const v1 = v128.load(values, 16);
    let w = v128.load32_splat(weights);
    s00 = f32x4.add(s00, f32x4.mul(w, v0));
    s01 = f32x4.add(s01, f32x4.mul(w, v1));
    w = v128.load32_splat(weights1);
    s10 = f32x4.add(s10, f32x4.mul(w, v0));
    s11 = f32x4.add(s11, f32x4.mul(w, v1));
    w = v128.load32_splat(weights2);
    s20 = f32x4.add(s20, f32x4.mul(w, v0));
    s21 = f32x4.add(s21, f32x4.mul(w, v1));
    w = v128.load32_splat(weights3);
    s30 = f32x4.add(s30, f32x4.mul(w, v0));
    s31 = f32x4.add(s31, f32x4.mul(w, v1));
    weights += 4;
    weights1 += 4;
    weights2 += 4;
    weights3 += 4;
    values += valueRowBytes;
  }
  v128.store(out, s00);
  v128.store(out, s01, 16);
  out += valueRowBytes;
  v128.store(out, s10);
  v128.store(out, s11, 16);
  out += valueRowBytes;
  v128.store(out, s20);
  v128.store(out, s21, 16);
  out += valueRowBytes;
  v128.store(out, s30);
  v128.store(out, s31, 16);
}

/** Weighted values of one query. */
@inline
function weightOne(
  weights: usize,
  values: usize,
  rowBytes: usize,
  out: usize,
  count: usize,
): void {
  memory.fill(out, 0, rowBytes);
  let d: usize = 0;
  for (; d + 128 <= rowBytes; d += 128) {
    weightRow32(weights, values + d, out + d, rowBytes, 0, count);
  }
  for (; d < rowBytes; d += 32) weightRow8(weights, values + d, out + d, rowBytes, 0, count);
}

/**
 * Softmax attention of the query heads that share one KV head over the slots of one part: a query at
 * text position p sees slots at p and before. Per 16 queries slots after the last one that any of them
 * sees are left out.
 *
 * @param queries rotated, [queryCount][headSize rounded up to 4], zeros past the head; query i is of
 *   row i / group
 * @param keys at most MAX_ROW_WISE queries: rows like those of the queries; more: panels
 *   [ceil(count / 8)][headSize rounded up to 4][8]; readable to a multiple of 8 slots
 * @param values [count][headSize rounded up to 8]
 * @param positions i32 [count], readable to a multiple of 4
 * @param added log multiplicities, f32 [count], readable to a multiple of 4; 0: none
 * @param rowPositions i32 [rows]
 * @param output of query i: at rowBytes * (i / group) + 4 * headSize * (i % group), headSize values
 * @param weights f32 [queryCount][count], softmax weights within the part; 0: not wanted
 * @param statistics f32 [queryCount][2]: maximum and sum of the softmax; sum 0 where nothing is seen
 * @param scratch `partScratchBytes`
 */
export function attendPart(
  queries: usize,
  keys: usize,
  values: usize,
  positions: usize,
  added: usize,
  rowPositions: usize,
  output: usize,
  rowBytes: usize,
  weights: usize,
  statistics: usize,
  scratch: usize,
  count: usize,
  queryCount: usize,
  group: usize,
  headSize: usize,
  scale: f32,
): void {
  const isRowWise = queryCount <= MAX_ROW_WISE;
  const keySize = roundUp(headSize, 4);
  const valueRowBytes: usize = 4 * roundUp(headSize, 8);
  const accumulator = scratch + 4 * PART_QUERIES * keySize;
  const scores = accumulator + PART_QUERIES * valueRowBytes;
  const scoreRowBytes: usize = 4 * roundUp(count, 8) + SCORE_ROW_PADDING;
  for (let first: usize = 0; first < queryCount; first += PART_QUERIES) {
    const held = queryCount - first < PART_QUERIES ? queryCount - first : PART_QUERIES;
    let lowest = i32.MAX_VALUE;
    let highest = i32.MIN_VALUE;
    for (let row = first / group; row <= (first + held - 1) / group; row++) {
      const position = load<i32>(rowPositions + 4 * row);
      lowest = min(lowest, position);
      highest = max(highest, position);
    }
    let limit = count;
    while (limit > 0 && load<i32>(positions + 4 * (limit - 1)) > highest) limit--;
    let sure: usize = 0;
    while (sure < limit && load<i32>(positions + 4 * sure) <= lowest) sure++;
    const fours = roundUp(limit, 4);
    const blockQueries = queries + 4 * keySize * first;
    if (isRowWise) {
      for (let i: usize = 0; i < held; i++) {
        const query = blockQueries + 4 * keySize * i;
        scoreRow(query, keys, scores + scoreRowBytes * i, keySize, scale, fours);
      }
    } else {
      packQueries(blockQueries, scratch, held, keySize);
      for (let column: usize = 0; column < limit; column += 8) {
        const panel = keys + 4 * keySize * column;
        for (let i: usize = 0; i < held; i += 4) {
          const to = scores + scoreRowBytes * i + 4 * column;
          scoreFour(scratch + 4 * keySize * i, panel, to, scoreRowBytes, keySize, scale);
        }
      }
    }
    const unsure = sure & ~3;
    for (let i: usize = 0; i < held; i++) {
      const row = scores + scoreRowBytes * i;
      const position = load<i32>(rowPositions + 4 * ((first + i) / group));
      if (added != 0) addTo(row, added, fours);
      maskLater(row + 4 * unsure, positions + 4 * unsure, fours - unsure, position);
      maskPast(row, limit);
      exponentiate(row, fours, statistics + 8 * (first + i));
    }
    if (isRowWise) {
      for (let i: usize = 0; i < held; i++) {
        const to = accumulator + valueRowBytes * i;
        weightOne(scores + scoreRowBytes * i, values, valueRowBytes, to, limit);
      }
    } else {
      for (let i: usize = 0; i < held; i += 4) {
        for (let d: usize = 0; d < valueRowBytes; d += 32) {
          const to = accumulator + valueRowBytes * i + d;
          const row = scores + scoreRowBytes * i;
          weightFour(row, scoreRowBytes, values + d, valueRowBytes, to, limit);
        }
      }
    }
    for (let i: usize = 0; i < held; i++) {
      const query = first + i;
      const sum = load<f32>(statistics + 8 * query, 4);
      const factor: f32 = sum == 0 ? 0 : 1 / sum;
      const to = output + rowBytes * (query / group) + 4 * headSize * (query % group);
      scaleInto(accumulator + valueRowBytes * i, to, headSize, factor);
      if (weights != 0) {
        const wanted = weights + 4 * count * query;
        scaleInto(scores + scoreRowBytes * i, wanted, limit, factor);
        memory.fill(wanted + 4 * limit, 0, 4 * (count - limit));
      }
    }
  }
}
