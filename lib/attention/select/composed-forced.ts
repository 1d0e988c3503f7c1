import type { ComposedSelection } from '../../spec/kinds/selection-parts';
import { leadingLines } from './a-shape';
import type { BlockGrid } from './grid';
import { collectBlocks, makeSelection } from './grid';
import { selectLines } from './lines';
import { addRecent, addSinks } from './selectors';
import type { Lines, Selection } from './types';

type Forced = ComposedSelection['forced'];

/** Keeps the blocks of forced keys of one query block, before any are chosen. */
export function addForced(
  grid: BlockGrid,
  kept: Uint8Array,
  queryBlock: number,
  { sinkTokens, recentTokens }: Forced,
): void {
  addSinks(grid, kept, sinkTokens);
  addRecent(grid, kept, queryBlock, recentTokens);
}

/** Keeps the blocks of the window beside those chosen. */
export function addBeside(
  grid: BlockGrid,
  kept: Uint8Array,
  queryBlock: number,
  { windowTokens }: Forced,
): void {
  addRecent(grid, kept, queryBlock, windowTokens);
}

/** Forced keys as lines: the first columns and the nearest diagonals. */
export function forcedLines(keys: number, { sinkTokens, recentTokens }: Forced): Lines {
  return leadingLines(keys, sinkTokens, recentTokens);
}

/** Lines with the diagonals of the window beside those chosen. */
export function besideLines({ columns, diagonals }: Lines, { windowTokens }: Forced): Lines {
  return { columns, diagonals: diagonals.fill(1, 0, Math.min(diagonals.length, windowTokens)) };
}

/** Forced keys alone, exact to the token (as A-shape) or as the blocks that hold them. */
export function selectForced(grid: BlockGrid, forced: Forced, unit: 'token' | 'block'): Selection {
  const rest = { pattern: 'forced keys', selectionFlops: 0 };
  if (unit === 'token') {
    return selectLines(grid, besideLines(forcedLines(grid.keys, forced), forced), rest);
  }
  const rows = collectBlocks(grid, (i, keep) => {
    addForced(grid, keep, i, forced);
    addBeside(grid, keep, i, forced);
  });
  return makeSelection(grid, rows, rest);
}
