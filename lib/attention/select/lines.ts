import type { BlockGrid } from './grid';
import {
  collectBlocks,
  endQuery,
  firstPosition,
  lastPosition,
  makeSelection,
  visibleEnd,
} from './grid';
import type { Lines, Selection } from './types';

/** counts[i] = ones among flags[0 .. i). */
function prefixCounts(flags: Uint8Array): Uint32Array {
  const counts = new Uint32Array(flags.length + 1);
  for (let i = 0; i < flags.length; i++) {
    counts[i + 1] = (counts[i] as number) + (flags[i] as number);
  }
  return counts;
}

/** Exactly the blocks in which some query sees some key of a line. */
export function blocksOfLines(
  grid: BlockGrid,
  lines: Lines,
): Pick<Selection, 'offsets' | 'blocks'> {
  const columns = prefixCounts(lines.columns);
  const diagonals = prefixCounts(lines.diagonals);
  const any = (counts: Uint32Array, start: number, end: number) =>
    start < end && (counts[end] as number) > (counts[start] as number);

  return collectBlocks(grid, (i, keep) => {
    const end = visibleEnd(grid, endQuery(grid, i) - 1);
    const first = firstPosition(grid, i);
    const last = lastPosition(grid, i);
    for (let j = 0; j * grid.blockKeys < end; j++) {
      const start = j * grid.blockKeys;
      const keyEnd = Math.min(grid.keys, start + grid.blockKeys);
      // Every distance between a rectangle's extremes occurs in it, at a key that is not later.
      const nearest = Math.max(0, first - keyEnd + 1);
      if (
        any(columns, start, Math.min(keyEnd, end)) ||
        any(diagonals, nearest, Math.min(grid.keys, last - start + 1))
      )
        keep[j] = 1;
    }
  });
}

/** A selection of lines with the blocks they cross. */
export function selectLines(
  grid: BlockGrid,
  lines: Lines,
  rest: { readonly pattern: string; readonly selectionFlops: number },
): Selection {
  return makeSelection(grid, blocksOfLines(grid, lines), { ...rest, lines });
}
