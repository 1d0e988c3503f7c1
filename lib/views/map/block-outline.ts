import { BLOCK, type BlockState, blockStates } from '../../attention/block-states';
import type { BlockList } from '../../attention/types';

/** Numbers per segment. */
export const SEGMENT = 4;

/**
 * Straight pieces of an outline, in blocks: of a horizontal one [row, first column, end column,
 * inside], of a vertical one [column, first row, end row, inside]; `inside` is 1 where the region
 * lies below or right of the line and -1 where it lies above or left.
 */
export interface Outline {
  readonly horizontal: Int32Array;
  readonly vertical: Int32Array;
}

export interface BlockOutlines {
  readonly full: Outline;
  readonly partial: Outline;
}

/**
 * Where the regions of full and of partial blocks end. Pieces are as long as they go, so that a
 * causal mask of any length has few; blocks within a region are left to the grid.
 */
export function blockOutlines(list: BlockList): BlockOutlines {
  const states = blockStates(list);
  const { queryBlocks, keyBlocks } = list;
  return {
    full: outlineOf(states, queryBlocks, keyBlocks, BLOCK.full),
    partial: outlineOf(states, queryBlocks, keyBlocks, BLOCK.partial),
  };
}

function outlineOf(states: Uint8Array, rows: number, columns: number, of: BlockState): Outline {
  const isInside = (r: number, c: number) =>
    r >= 0 && c >= 0 && r < rows && c < columns && states[r * columns + c] === of;
  return {
    horizontal: segments(rows, columns, isInside),
    vertical: segments(columns, rows, (c, r) => isInside(r, c)),
  };
}

/** Pieces between lines `at - 1` and `at`, along which `isInside` changes. */
function segments(
  lines: number,
  length: number,
  isInside: (line: number, along: number) => boolean,
): Int32Array {
  const found: number[] = [];
  for (let at = 0; at <= lines; at++) {
    for (let start = 0; start < length; ) {
      const side = sideAt(isInside, at, start);
      let end = start + 1;
      while (end < length && sideAt(isInside, at, end) === side) end++;
      if (side !== 0) found.push(at, start, end, side);
      start = end;
    }
  }
  return Int32Array.from(found);
}

function sideAt(
  isInside: (line: number, along: number) => boolean,
  at: number,
  along: number,
): -1 | 0 | 1 {
  const before = isInside(at - 1, along);
  const after = isInside(at, along);
  return before === after ? 0 : after ? 1 : -1;
}
