import type { AttentionInputs, MapBase, MapRect, MapScore, MapWindow } from './types';

/** Largest side of a base reduction and of an exact window, in cells. */
export const MAP_CELLS = 512;

/** Elements between two looks at the messages: some milliseconds of work. */
export const STEP_ELEMENTS = 2 ** 17;

/** Calls `visit(key, score)` for the visible keys of one row in [keyStart, keyEnd): modify(q.k / sqrt(d)). */
export function visitScores(
  inputs: AttentionInputs,
  batch: number,
  head: number,
  query: number,
  keyStart: number,
  keyEnd: number,
  visit: (key: number, score: number) => void,
): void {
  const { queryHeads, kvHeads, queries, keys, headSize } = inputs.shape;
  const scale = 1 / Math.sqrt(headSize);
  const row = (batch * queryHeads + head) * queries + query;
  const qOffset = row * headSize;
  const kvOffset = (batch * kvHeads + Math.floor(head / (queryHeads / kvHeads))) * keys * headSize;
  const { isVisible, modify } = inputs.program;
  const { query: queryValues, key: keyValues } = inputs;
  for (let k = keyStart; k < keyEnd; k++) {
    if (!isVisible(batch, head, query, k)) continue;
    const offset = kvOffset + k * headSize;
    // Four sums side by side: one would wait for its own last addition. Heads are multiples of 4.
    let a = 0;
    let b = 0;
    let c = 0;
    let e = 0;
    for (let d = 0; d < headSize; d += 4) {
      const q = qOffset + d;
      const at = offset + d;
      a += (queryValues[q] as number) * (keyValues[at] as number);
      b += (queryValues[q + 1] as number) * (keyValues[at + 1] as number);
      c += (queryValues[q + 2] as number) * (keyValues[at + 2] as number);
      e += (queryValues[q + 3] as number) * (keyValues[at + 3] as number);
    }
    const score = (a + b + c + e) * scale;
    visit(k, modify === undefined ? score : modify(batch, head, query, k, score));
  }
}

/** The same with probabilities, exp(score - lse). */
function visitRow(
  inputs: AttentionInputs,
  lse: ArrayLike<number>,
  batch: number,
  head: number,
  query: number,
  keyStart: number,
  keyEnd: number,
  visit: (key: number, probability: number) => void,
): void {
  const { queryHeads, queries } = inputs.shape;
  const rowLse = lse[(batch * queryHeads + head) * queries + query] as number;
  visitScores(inputs, batch, head, query, keyStart, keyEnd, (k, score) =>
    visit(k, Math.exp(score - rowLse)),
  );
}

/** One element's score before the mask and the score formula, and its row's log-sum-exp. */
export function elementScore(
  { shape, query, key }: AttentionInputs,
  lse: ArrayLike<number>,
  batch: number,
  head: number,
  element: { readonly query: number; readonly key: number },
): MapScore {
  const { queryHeads, kvHeads, queries, keys, headSize } = shape;
  const row = (batch * queryHeads + head) * queries + element.query;
  const kvHead = batch * kvHeads + Math.floor(head / (queryHeads / kvHeads));
  const keyAt = (kvHead * keys + element.key) * headSize;
  let dot = 0;
  for (let d = 0; d < headSize; d++) {
    dot += (query[row * headSize + d] as number) * (key[keyAt + d] as number);
  }
  return { score: dot / Math.sqrt(headSize), lse: lse[row] as number };
}

/** @throws RangeError when the rectangle is empty, out of the map or above 512 x 512 */
export function checkMapRect(
  { queryStart, queryEnd, keyStart, keyEnd }: MapRect,
  { queries, keys }: { readonly queries: number; readonly keys: number },
): void {
  const rows = queryEnd - queryStart;
  const columns = keyEnd - keyStart;
  const isInside = queryStart >= 0 && keyStart >= 0 && queryEnd <= queries && keyEnd <= keys;
  if (isInside && rows >= 1 && columns >= 1 && rows <= MAP_CELLS && columns <= MAP_CELLS) return;
  throw new RangeError(
    `invalid map window: queries ${queryStart}..${queryEnd}, keys ${keyStart}..${keyEnd} (expected 1..${MAP_CELLS} of each within ${queries} x ${keys})`,
  );
}

/**
 * Exact probabilities of a rectangle of one head's map, row-major, NaN where masked. Nothing is
 * stored per element beforehand: Q, K and the row log-sum-exp give any value on demand.
 *
 * @throws RangeError when the rectangle is empty, out of the map or above 512 x 512
 */
export function mapWindow(
  inputs: AttentionInputs,
  lse: ArrayLike<number>,
  batch: number,
  head: number,
  rect: MapRect,
): MapWindow {
  checkMapRect(rect, inputs.shape);
  const { queryStart, queryEnd, keyStart, keyEnd } = rect;
  const rows = queryEnd - queryStart;
  const columns = keyEnd - keyStart;
  const probabilities = new Float32Array(rows * columns).fill(Number.NaN);
  for (let q = queryStart; q < queryEnd; q++) {
    const offset = (q - queryStart) * columns - keyStart;
    visitRow(inputs, lse, batch, head, q, keyStart, keyEnd, (k, p) => {
      probabilities[offset + k] = p;
    });
  }
  return { ...rect, probabilities };
}

/** First element of cell `index` when `count` elements are shared among `cells` cells. */
export function cellStart(index: number, count: number, cells: number): number {
  return Math.floor((index * count) / cells);
}

/**
 * One head's map reduced to at most 512 x 512 cells: the maximum and the mean over the unmasked
 * elements of each cell, NaN where there are none. Yields the share done, so a worker can stop it.
 * Cell (r, c) covers queries [floor(r Q / rows), floor((r + 1) Q / rows)), and keys likewise.
 */
export function* mapBaseSteps(
  inputs: AttentionInputs,
  lse: ArrayLike<number>,
  batch: number,
  head: number,
): Generator<number, MapBase> {
  const { queries, keys } = inputs.shape;
  const rows = Math.min(MAP_CELLS, queries);
  const columns = Math.min(MAP_CELLS, keys);
  const max = new Float32Array(rows * columns).fill(Number.NaN);
  const mean = new Float32Array(rows * columns).fill(Number.NaN);
  const cellOfKey = new Uint32Array(keys);
  for (let c = 0; c < columns; c++) {
    cellOfKey.fill(c, cellStart(c, keys, columns), cellStart(c + 1, keys, columns));
  }
  const sums = new Float64Array(columns);
  const counts = new Uint32Array(columns);
  const maxima = new Float64Array(columns);
  let sinceYield = 0;
  for (let r = 0; r < rows; r++) {
    sums.fill(0);
    counts.fill(0);
    maxima.fill(0);
    for (let q = cellStart(r, queries, rows); q < cellStart(r + 1, queries, rows); q++) {
      visitRow(inputs, lse, batch, head, q, 0, keys, (k, p) => {
        const c = cellOfKey[k] as number;
        sums[c] = (sums[c] as number) + p;
        counts[c] = (counts[c] as number) + 1;
        if (p > (maxima[c] as number)) maxima[c] = p;
      });
      sinceYield += keys;
      if (sinceYield >= STEP_ELEMENTS) {
        sinceYield = 0;
        yield (q + 1) / queries;
      }
    }
    for (let c = 0; c < columns; c++) {
      if (counts[c] === 0) continue;
      max[r * columns + c] = maxima[c] as number;
      mean[r * columns + c] = (sums[c] as number) / (counts[c] as number);
    }
  }
  return { rows, columns, queries, keys, max, mean };
}
