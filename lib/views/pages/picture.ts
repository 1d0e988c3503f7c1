import { type PageTable, pageUsers } from '../../attention/decode/pages';

export const PAGE_STATES = ['free', 'used', 'shared', 'partly filled'] as const;
export type PageState = (typeof PAGE_STATES)[number];

export function pageState({ pageUse, pageOwners, pageTokens }: PageTable, page: number): PageState {
  const tokens = pageUse[page] ?? 0;
  if (tokens === 0) return 'free';
  if ((pageOwners[page] ?? 0) > 1) return 'shared';
  return tokens < pageTokens ? 'partly filled' : 'used';
}

/** Pages of each state. */
export function countPages(table: PageTable): Readonly<Record<PageState, number>> {
  const counts = { free: 0, used: 0, shared: 0, 'partly filled': 0 };
  table.pageUse.forEach((_, page) => {
    counts[pageState(table, page)]++;
  });
  return counts;
}

/** One page as a sentence: `page 12: sequence 3, tokens 80 to 95, full`. */
export function describePage(table: PageTable, page: number): string {
  const users = pageUsers(table, page);
  const [first] = users;
  if (first === undefined) return `page ${page}: free`;
  const tokens = table.pageUse[page] ?? 0;
  const start = first.index * table.pageTokens;
  const who =
    users.length === 1
      ? `sequence ${first.sequence}`
      : `shared by sequences ${users.map(({ sequence }) => sequence).join(', ')}`;
  const filled = tokens === table.pageTokens ? 'full' : `${tokens} of ${table.pageTokens} filled`;
  return `page ${page}: ${who}, tokens ${start} to ${start + tokens - 1}, ${filled}`;
}

/** A grid of all pages, in the pool's order, that fits a width. */
export interface PageGrid {
  readonly columns: number;
  readonly rows: number;
  /** CSS pixels of a cell, its gap included. */
  readonly cell: number;
}

/** Largest cell for which the grid stays this high. */
const WANTED_HEIGHT = 220;
const SMALLEST_CELL = 4;
const LARGEST_CELL = 18;

export function pageGrid(pages: number, width: number): PageGrid {
  const fitting = Math.floor(Math.sqrt((width * WANTED_HEIGHT) / pages));
  const cell = Math.max(SMALLEST_CELL, Math.min(LARGEST_CELL, fitting));
  const columns = Math.max(1, Math.min(pages, Math.floor(width / cell)));
  return { columns, rows: Math.ceil(pages / columns), cell };
}

/** The page under a point, or undefined. */
export function pageAt(
  { columns, cell }: PageGrid,
  pages: number,
  x: number,
  y: number,
): number | undefined {
  const column = Math.floor(x / cell);
  const page = Math.floor(y / cell) * columns + column;
  return column >= 0 && column < columns && page >= 0 && page < pages ? page : undefined;
}

export type PageColors = Readonly<Record<PageState | 'ink', string>>;

/**
 * Draws the pool: a page is a square, filled from below as far as tokens lie in it; shared ones have
 * a hole in the middle, so that no state is told by colour alone. The selected page is framed.
 */
export function drawPages(
  context: CanvasRenderingContext2D,
  table: PageTable,
  grid: PageGrid,
  colors: PageColors,
  selected: number | undefined,
): void {
  const { columns, rows, cell } = grid;
  context.clearRect(0, 0, columns * cell, rows * cell);
  const size = cell - (cell > 6 ? 2 : 1);
  table.pageUse.forEach((tokens, page) => {
    const x = (page % columns) * cell;
    const y = Math.floor(page / columns) * cell;
    const state = pageState(table, page);
    context.fillStyle = colors.free;
    context.fillRect(x, y, size, size);
    if (state !== 'free') {
      const height = Math.max(1, Math.round((size * tokens) / table.pageTokens));
      context.fillStyle = colors[state];
      context.fillRect(x, y + size - height, size, height);
    }
    if (state === 'shared' && size >= 4) {
      const hole = Math.max(1, Math.floor(size / 3));
      const inset = Math.floor((size - hole) / 2);
      context.fillStyle = colors.free;
      context.fillRect(x + inset, y + inset, hole, hole);
    }
    if (page === selected) {
      context.strokeStyle = colors.ink;
      context.lineWidth = 2;
      context.strokeRect(x + 1, y + 1, size - 2, size - 2);
    }
  });
}
