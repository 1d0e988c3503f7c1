import { checkHead, checkInteger, checkShare } from './checks';
import { dot, dotCodes } from './dot';
import type { BlockGrid } from './grid';
import {
  collectBlocks,
  endQuery,
  makeGrid,
  makeSelection,
  visibleBlocks,
  visibleEnd,
} from './grid';
import { keptLogSum } from './kept-log-sum';
import type { TokenCodes } from './low-bit';
import { channelMeans, quantiseTokens } from './low-bit';
import { addAbove, addRecent, addSinks } from './selectors';
import type { HeadTensors, Selection } from './types';

export interface SaleOptions {
  /** Default 64. */
  readonly blockQueries?: number;
  /** Default 32. */
  readonly blockKeys?: number;
  /** Blocks that hold these first keys are always kept. */
  readonly sinkTokens: number;
  /** Blocks that hold any of the last keys of a query are always kept. Default 128. */
  readonly windowTokens?: number;
  /** Bits of the query and key codes, 2..8. Default 4. */
  readonly bits?: number;
  /**
   * Relative attention (against the sum over sinks and window) above which a pair keeps its block;
   * calibrated per head by halving from 0.008 in the authors' code.
   */
  readonly threshold: number;
  /** Subtract the mean key before rounding. Default true. */
  readonly subtractMean?: boolean;
}

/**
 * Largest excess of a low-bit score over its query's cut, per block that is not kept; -Infinity
 * for the others.
 *
 * @param cuts unscaled, per query of the block
 * @param out [grid.keyBlocks]
 * @returns pairs scored
 */
function blockExcess(
  grid: BlockGrid,
  query: TokenCodes,
  key: TokenCodes,
  headSize: number,
  queryBlock: number,
  cuts: Float64Array,
  kept: Uint8Array,
  out: Float64Array,
): number {
  const { blockQueries, blockKeys } = grid;
  const first = queryBlock * blockQueries;
  const end = endQuery(grid, queryBlock);
  let pairs = 0;
  out.fill(-Infinity);
  for (let j = 0; j < visibleBlocks(grid, queryBlock); j++) {
    if (kept[j] === 1) continue;
    const start = j * blockKeys;
    let excess = -Infinity;
    for (let q = first; q < end; q++) {
      const keyEnd = Math.min(visibleEnd(grid, q), start + blockKeys);
      const queryScale = query.scales[q] as number;
      let best = -Infinity;
      for (let k = start; k < keyEnd; k++) {
        const code = dotCodes(query.codes, q * headSize, key.codes, k * headSize, headSize);
        const score = code * (key.scales[k] as number);
        if (score > best) best = score;
      }
      excess = Math.max(excess, best * queryScale - (cuts[q - first] as number));
      pairs += Math.max(0, keyEnd - start);
    }
    out[j] = excess;
  }
  return pairs;
}

/**
 * SALE (2025). Pass 1: exact scores over sinks and local window give every query its maximum m and
 * sum l. Pass 2: low-bit scores of all other blocks; a block stays if any visible pair has
 * exp(s - m) / l above the threshold, tested as s > m + log(l threshold). Pass 3 is the caller's
 * exact attention. Codes are int8 lanes that hold `bits` bits: a simulation of narrower hardware.
 */
export function selectSale(head: HeadTensors, options: SaleOptions): Selection {
  const { blockQueries = 64, blockKeys = 32, windowTokens = 128, bits = 4 } = options;
  const { sinkTokens, threshold, subtractMean = true } = options;
  const { queries, keys, headSize } = head;
  checkHead(head);
  checkInteger('sinkTokens', sinkTokens, 0, 2 ** 24);
  checkInteger('windowTokens', windowTokens, 1, 2 ** 24);
  checkShare('threshold', threshold);
  const grid = makeGrid(head, blockQueries, blockKeys);
  const mean = subtractMean ? channelMeans(head.key, keys, headSize) : new Float32Array(headSize);
  const query = quantiseTokens(head.query, queries, headSize, bits);
  const key = quantiseTokens(head.key, keys, headSize, bits, mean);
  const cuts = new Float64Array(blockQueries);
  const excess = new Float64Array(grid.keyBlocks);
  const scores = new Float64Array(keys);
  let pairs = subtractMean ? queries : 0;

  const rows = collectBlocks(grid, (i, keep) => {
    addSinks(grid, keep, sinkTokens);
    addRecent(grid, keep, i, windowTokens);
    const first = i * blockQueries;
    for (let q = first; q < endQuery(grid, i); q++) {
      const exact = keptLogSum(head, grid, q, keep, scores);
      // The codes miss q.mean; adding it to every score is taking it from the cut.
      const shift = dot(head.query, q * headSize, mean, 0, headSize);
      cuts[q - first] = (exact.logSum + Math.log(threshold)) * Math.sqrt(headSize) - shift;
      pairs += exact.pairs;
    }
    pairs += blockExcess(grid, query, key, headSize, i, cuts, keep, excess);
    addAbove(keep, excess, grid.keyBlocks, 0);
  });
  return makeSelection(grid, rows, { pattern: 'low-bit', selectionFlops: 2 * headSize * pairs });
}
