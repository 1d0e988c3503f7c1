import { leadingLines } from './a-shape';
import { checkHead, checkInteger, checkShare } from './checks';
import { makeGrid } from './grid';
import { coverWithLines } from './line-cover';
import { selectLines } from './lines';
import { addTopK } from './selectors';
import type { HeadTensors, Selection } from './types';
import { columnSums, diagonalSums, windowScores } from './window-scores';

export interface VerticalSlashOptions {
  readonly blockQueries: number;
  readonly blockKeys: number;
  /** Columns kept, the forced ones among them. */
  readonly columns: number;
  /** Diagonals kept, the forced ones among them. */
  readonly diagonals: number;
  /** Last queries whose attention is summed along lines. Default 64. */
  readonly windowQueries?: number;
  /** First columns forced in. Default 30. */
  readonly forcedColumns?: number;
  /** Nearest diagonals forced in. Default 100. */
  readonly forcedDiagonals?: number;
}

/**
 * MInference's vertical-slash (2024): the last queries' exact attention is summed per key (columns)
 * and per distance (diagonals), and the lines with the largest sums are kept for all queries. A key
 * that the last queries ignore is lost whatever the earlier ones need. Forced lines count towards
 * their budgets, and are kept even above them. Defaults are those of the authors' code.
 */
export function selectVerticalSlash(head: HeadTensors, options: VerticalSlashOptions): Selection {
  const { windowQueries = 64, forcedColumns = 30, forcedDiagonals = 100 } = options;
  checkHead(head);
  checkInteger('windowQueries', windowQueries, 1, 2 ** 24);
  for (const name of ['columns', 'diagonals'] as const)
    checkInteger(name, options[name], 0, 2 ** 24);
  checkInteger('forcedColumns', forcedColumns, 0, 2 ** 24);
  checkInteger('forcedDiagonals', forcedDiagonals, 0, 2 ** 24);
  const grid = makeGrid(head, options.blockQueries, options.blockKeys);
  const window = windowScores(head, windowQueries);
  const lines = leadingLines(head.keys, forcedColumns, forcedDiagonals);
  addTopK(lines.columns, columnSums(head, window), head.keys, options.columns);
  addTopK(lines.diagonals, diagonalSums(head, window), head.keys, options.diagonals);
  return selectLines(grid, lines, { pattern: 'vertical-slash', selectionFlops: window.flops });
}

export interface LineCoverOptions {
  readonly blockQueries: number;
  readonly blockKeys: number;
  /** Share of the sampled attention to cover, (0, 1]. */
  readonly share: number;
  /** Lines that may be added. Default both. */
  readonly kinds?: 'both' | 'columns';
  /** Last queries whose attention is sampled. */
  readonly windowQueries: number;
  readonly forcedColumns: number;
  readonly forcedDiagonals: number;
}

/**
 * Vertical-slash with its budgets as a result: few lines, found greedily, that cover `share` of the
 * sampled attention, a pair on two lines counted once (LoopServe, 2025).
 */
export function selectLineCover(head: HeadTensors, options: LineCoverOptions): Selection {
  checkHead(head);
  checkShare('share', options.share);
  checkInteger('windowQueries', options.windowQueries, 1, 2 ** 24);
  checkInteger('forcedColumns', options.forcedColumns, 0, 2 ** 24);
  checkInteger('forcedDiagonals', options.forcedDiagonals, 0, 2 ** 24);
  const grid = makeGrid(head, options.blockQueries, options.blockKeys);
  const window = windowScores(head, options.windowQueries);
  const forced = leadingLines(head.keys, options.forcedColumns, options.forcedDiagonals);
  return selectLines(grid, coverWithLines(head, window, options.share, forced, options.kinds), {
    pattern: 'line-cover',
    selectionFlops: window.flops,
  });
}
