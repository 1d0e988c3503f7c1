import type { ComposedSelection } from '../../spec/kinds/selection-parts';
import { dot, dotCodes } from './dot';
import type { BlockGrid } from './grid';
import { channelMeans, quantiseTokens } from './low-bit';
import type { OverlappingParts } from './overlap-reducer';
import { pageUpperBound, splitQuery } from './page-scores';
import { meanPool, pageBounds, representativeToken, slidingMeans } from './summaries';
import type { HeadTensors } from './types';

/** Scores of rows of queries against the summaries of a head's keys. */
export interface SummaryScores {
  /** Scores that a whole block has. */
  readonly perBlock: number;
  /** Where summaries are of parts that cross blocks; only whole parts are scored. */
  readonly overlap?: OverlappingParts;
  /**
   * Scores q.k / sqrt(headSize) of row `row` against what lies in keys [start, end), into out at
   * their place among all. A summary whose first key lies there counts whole.
   *
   * @param start first key of a block. Default 0.
   * @returns one past the last score
   */
  readonly score: (row: number, end: number, out: Float64Array, start?: number) => number;
  readonly flopsPerScore: number;
  /** Of one row, whatever it is compared with. */
  readonly flopsPerRow: number;
}

/**
 * @param rows [rowCount, headSize]: queries, or means of them
 * @throws RangeError where the summariser's numbers do not fit
 */
export function summaryScores(
  head: HeadTensors,
  grid: BlockGrid,
  summariser: ComposedSelection['summariser'],
  rows: Float32Array,
): SummaryScores {
  const { headSize, keys, key } = head;
  const { blockKeys } = grid;
  const scale = 1 / Math.sqrt(headSize);
  const plain = { flopsPerScore: 2 * headSize, flopsPerRow: 0 };
  switch (summariser.type) {
    case 'mean': {
      const means = meanPool(key, keys, headSize, blockKeys);
      const score = (row: number, end: number, out: Float64Array, start = 0) => {
        const count = Math.ceil(end / blockKeys);
        for (let j = start / blockKeys; j < count; j++) {
          out[j] = dot(rows, row * headSize, means, j * headSize, headSize) * scale;
        }
        return count;
      };
      return { ...plain, perBlock: 1, score };
    }
    case 'sliding-mean': {
      const { partTokens, strideTokens } = summariser;
      const means = slidingMeans(key, keys, headSize, partTokens, strideTokens);
      const score = (row: number, end: number, out: Float64Array, start = 0) => {
        const whole = Math.floor((end - partTokens) / strideTokens) + 1;
        const count = Math.min(means.length / headSize, Math.max(0, whole));
        for (let p = Math.ceil(start / strideTokens); p < count; p++) {
          out[p] = dot(rows, row * headSize, means, p * headSize, headSize) * scale;
        }
        return count;
      };
      const perBlock = blockKeys / strideTokens;
      return { ...plain, perBlock, overlap: { partTokens, strideTokens }, score };
    }
    case 'bounds': {
      const partTokens = Math.min(summariser.partTokens, blockKeys);
      const bounds = pageBounds(key, keys, headSize, partTokens);
      const positive = new Float32Array(headSize);
      const negative = new Float32Array(headSize);
      let splitRow = -1;
      const score = (row: number, end: number, out: Float64Array, start = 0) => {
        if (row !== splitRow) splitQuery(rows, row * headSize, positive, negative);
        splitRow = row;
        const count = Math.ceil(end / partTokens);
        for (let page = start / partTokens; page < count; page++) {
          out[page] = pageUpperBound(positive, negative, bounds, page) * scale;
        }
        return count;
      };
      return {
        perBlock: blockKeys / partTokens,
        score,
        flopsPerScore: 4 * headSize,
        flopsPerRow: 0,
      };
    }
    case 'representative': {
      const score = (row: number, end: number, out: Float64Array, start = 0) => {
        const count = Math.ceil(end / blockKeys);
        for (let j = start / blockKeys; j < count; j++) {
          // Of the part that is seen: a later key must not decide.
          const stop = Math.min((j + 1) * blockKeys, end);
          const token = representativeToken(summariser.token, j * blockKeys, stop);
          out[j] = dot(rows, row * headSize, key, token * headSize, headSize) * scale;
        }
        return count;
      };
      return { ...plain, perBlock: 1, score };
    }
    case 'every-key': {
      const score = (row: number, end: number, out: Float64Array, start = 0) => {
        for (let k = start; k < end; k++) {
          out[k] = dot(rows, row * headSize, key, k * headSize, headSize) * scale;
        }
        return end;
      };
      return { ...plain, perBlock: blockKeys, score };
    }
    case 'low-bit': {
      const { bits } = summariser;
      const mean = channelMeans(key, keys, headSize);
      const keyCodes = quantiseTokens(key, keys, headSize, bits, mean);
      const rowCodes = quantiseTokens(rows, rows.length / headSize, headSize, bits);
      let shift = 0;
      let shiftRow = -1;
      const score = (row: number, end: number, out: Float64Array, start = 0) => {
        const at = row * headSize;
        // The codes miss q.mean, by which scores of several queries are compared.
        if (row !== shiftRow) shift = dot(rows, at, mean, 0, headSize);
        shiftRow = row;
        const rowScale = rowCodes.scales[row] as number;
        for (let k = start; k < end; k++) {
          const code = dotCodes(rowCodes.codes, at, keyCodes.codes, k * headSize, headSize);
          out[k] = (code * rowScale * (keyCodes.scales[k] as number) + shift) * scale;
        }
        return end;
      };
      return { ...plain, flopsPerRow: 2 * headSize, perBlock: blockKeys, score };
    }
  }
}
