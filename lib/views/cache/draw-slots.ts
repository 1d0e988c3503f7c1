import { SLOT_STATES } from '../../evaluate/look';
import { rowTop, type SlotLayout } from './slot-layout';

/** What the colour of a slot tells. */
export const SLOT_COLORINGS = ['state', 'bytes', 'score', 'attention', 'age'] as const;
export type SlotColoring = (typeof SLOT_COLORINGS)[number];

export interface SlotColors {
  /** By state, in the order of `SLOT_STATES`. */
  readonly states: readonly string[];
  readonly paper: string;
  readonly accent: string;
  readonly outline: string;
}

export interface SlotPicture {
  readonly states: Uint8Array;
  /** Shares 0..1 of the largest, [rows, columns]; unused by `state`. */
  readonly shares: Float32Array | undefined;
  readonly marked: { readonly row: number; readonly column: number } | undefined;
  /** Columns that a reader needs for the answer, [start, end). */
  readonly evidence: readonly (readonly [number, number])[];
}

const DROPPED = SLOT_STATES.indexOf('dropped');

type Context = Pick<
  CanvasRenderingContext2D,
  | 'clearRect'
  | 'fillRect'
  | 'strokeRect'
  | 'fillStyle'
  | 'strokeStyle'
  | 'globalAlpha'
  | 'lineWidth'
>;

/** Draws every slot once; dropped ones stay empty. */
export function drawSlots(
  context: Context,
  layout: SlotLayout,
  picture: SlotPicture,
  colors: SlotColors,
): void {
  const { rows, columns, columnWidth, rowHeight, width, height } = layout;
  context.clearRect(0, 0, width, height);
  const drawn = Math.max(columnWidth, 1);
  const gap = columnWidth >= 4 ? 1 : 0;
  for (let row = 0; row < rows; row++) {
    const top = rowTop(layout, row);
    context.globalAlpha = 1;
    context.fillStyle = colors.paper;
    context.fillRect(0, top, width, rowHeight - 1);
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      const state = picture.states[at] ?? DROPPED;
      if (state === DROPPED) continue;
      const share = picture.shares?.[at];
      context.fillStyle =
        picture.shares === undefined ? (colors.states[state] ?? '') : colors.accent;
      // The faintest is still seen: an empty place means dropped.
      context.globalAlpha = share === undefined ? 1 : 0.12 + 0.88 * share;
      context.fillRect(column * columnWidth, top, drawn - gap, rowHeight - 1);
    }
  }
  context.globalAlpha = 1;
  context.strokeStyle = colors.outline;
  context.lineWidth = 1;
  for (const [start, end] of picture.evidence) {
    context.strokeRect(start * columnWidth - 0.5, 0.5, (end - start) * columnWidth + 1, height - 1);
  }
  if (picture.marked) {
    const { row, column } = picture.marked;
    context.lineWidth = 2;
    context.strokeRect(column * columnWidth - 1, rowTop(layout, row) - 1, drawn + 2, rowHeight + 1);
  }
}

/** Values as shares of the largest finite one; NaN becomes 0. */
export function sharesOf(values: ArrayLike<number>): Float32Array {
  let least = Infinity;
  let most = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const low = Math.min(0, least);
  const span = most - low;
  return Float32Array.from({ length: values.length }, (_, i) => {
    const value = values[i]!;
    return Number.isFinite(value) && span > 0 ? (value - low) / span : 0;
  });
}

/**
 * Ranks within each row as shares: 0 the lowest, 1 the highest, equal values alike; NaN becomes 0.
 * Scores of different heads are not of one scale, and within a head a few are far above the rest.
 */
export function rankShares(values: ArrayLike<number>, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let start = 0; start < values.length; start += columns) {
    const row = Array.from({ length: columns }, (_, column) => values[start + column]!);
    const sorted = row.filter(Number.isFinite).sort((a, b) => a - b);
    const ranks = new Map(sorted.map((value, rank) => [value, rank]));
    row.forEach((value, column) => {
      out[start + column] = (ranks.get(value) ?? 0) / Math.max(1, sorted.length - 1);
    });
  }
  return out;
}
