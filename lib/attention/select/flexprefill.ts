import { leadingLines } from './a-shape';
import { checkHead, checkInteger, checkShare } from './checks';
import type { BlockGrid } from './grid';
import { collectBlocks, lastPosition, makeGrid, makeSelection, visibleBlocks } from './grid';
import { selectLines } from './lines';
import { jensenShannonDistance, pooledProbabilities } from './pooled-scores';
import { addRecent, addTopK, addTopP } from './selectors';
import { meanOfRows, meanPool } from './summaries';
import type { HeadTensors, Selection } from './types';
import type { WindowScores } from './window-scores';
import { columnSums, diagonalSums, groupSums, windowScores } from './window-scores';

export interface FlexPrefillOptions {
  /** Side of query and key blocks. Default 128. */
  readonly blockTokens?: number;
  /** Share of the attention to cover, (0, 1]. Default 0.9. */
  readonly gamma?: number;
  /** Largest distance of the two block distributions of a query-aware head. Default 0.1. */
  readonly tau?: number;
  /** Least tokens of columns, and of diagonals, rounded up to blocks. */
  readonly minBudgetTokens: number;
  /**
   * 'token' keeps exactly the lines found; 'block', as the authors' kernel, turns their number into
   * whole block columns and block diagonals (one more than the full blocks they would fill).
   */
  readonly lineUnit: 'token' | 'block';
}

/** FlexPrefill's test of a head, and what was computed for it. */
export interface FlexPrefillTest {
  readonly window: WindowScores;
  /** Means of the key blocks, [blocks, headSize]. */
  readonly keyMeans: Float32Array;
  readonly distance: number;
  readonly flops: number;
}

/** Tests a head at blocks of `blockTokens`, see `flexPrefillDistance`. */
export function testHead(head: HeadTensors, blockTokens: number): FlexPrefillTest {
  const window = windowScores(head, blockTokens);
  const keyMeans = meanPool(head.key, head.keys, head.headSize, blockTokens);
  return {
    window,
    keyMeans,
    distance: flexPrefillDistance(head, window, keyMeans, blockTokens),
    flops: window.flops + 2 * head.headSize * Math.ceil(head.keys / blockTokens),
  };
}

/** Distance of the pooled estimate from the true block attention of the last queries: FlexPrefill's head test. */
export function flexPrefillDistance(
  head: HeadTensors,
  window: WindowScores,
  keyMeans: Float32Array,
  blockTokens: number,
): number {
  const { queries, keys, headSize } = head;
  const mean = new Float64Array(headSize);
  meanOfRows(head.query, queries - window.rows, queries, headSize, mean);
  const estimate = new Float64Array(Math.ceil(keys / blockTokens));
  pooledProbabilities(Float32Array.from(mean), 0, keyMeans, estimate.length, headSize, estimate);
  const truth = groupSums(columnSums(head, window), blockTokens);
  return jensenShannonDistance(
    estimate,
    truth.map((mass) => mass / window.rows),
  );
}

/**
 * FlexPrefill (2025). The last block of queries decides: where pooling predicts its block attention
 * (sqrt of the Jensen-Shannon divergence below tau) the head is query-aware, and the largest
 * entries of the pooled map of all query blocks are kept up to gamma, the entry that would cross it
 * left out; else vertical-slash, with the smallest sets of columns and of diagonals that each hold
 * gamma of the attention. First block and main diagonal are forced, and both kinds of heads keep
 * the minimum budget of lines. The authors' dense fallback for short prompts is left to the caller.
 *
 * @param known the test of the head at blocks of the same size, where it was made before: its cost
 * is then not counted again
 */
export function selectFlexPrefill(
  head: HeadTensors,
  options: FlexPrefillOptions,
  known?: FlexPrefillTest,
): Selection {
  const { blockTokens = 128, gamma = 0.9, tau = 0.1, minBudgetTokens, lineUnit } = options;
  checkHead(head);
  checkShare('gamma', gamma);
  checkInteger('minBudgetTokens', minBudgetTokens, 0, 2 ** 24);
  const grid = makeGrid(head, blockTokens, blockTokens);
  const { window, keyMeans, distance, ...test } = known ?? testHead(head, blockTokens);
  const isQueryAware = distance < tau;
  const flops = known === undefined ? test.flops : 0;
  const minBlocks = Math.max(1, Math.ceil(minBudgetTokens / blockTokens));

  if (isQueryAware) {
    const lines = blockLines(head, window, grid, minBlocks, minBlocks);
    const map = queryAwareMap(head, grid, keyMeans, gamma);
    const rows = collectBlocks(grid, (i, keep) => {
      keep.set(map.kept.subarray(i * grid.keyBlocks, (i + 1) * grid.keyBlocks));
      markBlockLines(grid, lines, i, keep);
    });
    return makeSelection(grid, rows, {
      pattern: 'query-aware',
      selectionFlops: flops + map.flops,
    });
  }
  const rest = { pattern: 'vertical-slash', selectionFlops: flops };
  const columns = columnSums(head, window);
  const diagonals = diagonalSums(head, window);
  if (lineUnit === 'token') {
    const lines = leadingLines(head.keys, blockTokens, 1);
    for (const [kept, sums] of [
      [lines.columns, columns],
      [lines.diagonals, diagonals],
    ] as const) {
      addTopP(kept, sums, head.keys, gamma);
      addTopK(kept, sums, head.keys, minBlocks * blockTokens);
    }
    return selectLines(grid, lines, rest);
  }
  const blocksFor = (sums: Float64Array) => {
    const kept = new Uint8Array(head.keys);
    addTopP(kept, sums, head.keys, gamma);
    const lines = kept.reduce((sum, flag) => sum + flag, 0);
    return Math.max(minBlocks, Math.floor(lines / blockTokens) + 1);
  };
  const lines = blockLines(head, window, grid, blocksFor(columns), blocksFor(diagonals));
  const rows = collectBlocks(grid, (i, keep) => markBlockLines(grid, lines, i, keep));
  return makeSelection(grid, rows, rest);
}

/** Best block columns and block diagonals by mass, the first of each forced. */
function blockLines(
  head: HeadTensors,
  window: WindowScores,
  grid: BlockGrid,
  columnBlocks: number,
  diagonalBlocks: number,
) {
  const lines = leadingLines(grid.keyBlocks, 1, 1);
  const columns = groupSums(columnSums(head, window), grid.blockKeys);
  const diagonals = groupSums(diagonalSums(head, window), grid.blockKeys);
  addTopK(lines.columns, columns, grid.keyBlocks, columnBlocks);
  addTopK(lines.diagonals, diagonals, grid.keyBlocks, diagonalBlocks);
  return lines;
}

/** Block diagonals count from the block that holds the query block's last position. */
function markBlockLines(
  grid: BlockGrid,
  lines: ReturnType<typeof leadingLines>,
  queryBlock: number,
  keep: Uint8Array,
): void {
  const diagonal = Math.floor(lastPosition(grid, queryBlock) / grid.blockKeys);
  for (let j = 0; j < grid.keyBlocks; j++) {
    if (lines.columns[j] === 1 || lines.diagonals[diagonal - j] === 1) keep[j] = 1;
  }
  // Queries of a block that straddles two key blocks have their own positions in both.
  addRecent(grid, keep, queryBlock, 1);
}

/** Pooled block map of all query blocks, cut at `gamma` of its total: each row sums to 1. */
function queryAwareMap(
  head: HeadTensors,
  grid: BlockGrid,
  keyMeans: Float32Array,
  gamma: number,
): { readonly kept: Uint8Array; readonly flops: number } {
  const { queryBlocks, keyBlocks } = grid;
  const queryMeans = meanPool(head.query, head.queries, head.headSize, grid.blockQueries);
  const map = new Float64Array(queryBlocks * keyBlocks).fill(-Infinity);
  let flops = 0;
  for (let i = 0; i < queryBlocks; i++) {
    const row = map.subarray(i * keyBlocks, (i + 1) * keyBlocks);
    const count = visibleBlocks(grid, i);
    flops += pooledProbabilities(queryMeans, i, keyMeans, count, head.headSize, row);
  }
  const kept = new Uint8Array(map.length);
  addTopP(kept, map, map.length, gamma, { crossing: 'drop' });
  return { kept, flops };
}
