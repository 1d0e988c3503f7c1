import { expect, test } from 'vitest';
import { allocatePages } from '../../../lib/attention/decode/pages';
import {
  countPages,
  describePage,
  drawPages,
  pageAt,
  pageGrid,
  pageState,
} from '../../../lib/views/pages/picture';

const table = allocatePages(Uint32Array.of(50, 33, 64), 16, 20, 7);
const pageOf = (sequence: number, index: number) =>
  table.blockTable[sequence * table.pagesPerSequence + index]!;

test('every page has one state', () => {
  // 1 shared page; 3, 2 and 3 of their own, of which two are filled in part; one free page in eight.
  expect(countPages(table)).toEqual({ free: 2, used: 6, shared: 1, 'partly filled': 2 });
  expect(pageState(table, pageOf(0, 0))).toBe('shared');
  expect(pageState(table, pageOf(0, 3))).toBe('partly filled');
});

test('a page is read as a sentence', () => {
  expect(describePage(table, pageOf(1, 0))).toBe(
    `page ${pageOf(1, 0)}: shared by sequences 0, 1, 2, tokens 0 to 15, full`,
  );
  expect(describePage(table, pageOf(0, 3))).toBe(
    `page ${pageOf(0, 3)}: sequence 0, tokens 48 to 49, 2 of 16 filled`,
  );
  const free = table.pageUse.indexOf(0);
  expect(describePage(table, free)).toBe(`page ${free}: free`);
});

test('the grid holds every page once, whatever its width', () => {
  for (const [pages, width] of [
    [1, 300],
    [11, 300],
    [989, 340],
    [20_000, 1100],
  ] as const) {
    const grid = pageGrid(pages, width);
    expect(grid.columns * grid.cell).toBeLessThanOrEqual(width);
    expect(grid.columns * grid.rows).toBeGreaterThanOrEqual(pages);
    const found = new Set<number>();
    for (let row = 0; row < grid.rows; row++) {
      for (let column = 0; column < grid.columns; column++) {
        const at = pageAt(grid, pages, (column + 0.5) * grid.cell, (row + 0.5) * grid.cell);
        if (at !== undefined) found.add(at);
      }
    }
    expect(found.size).toBe(pages);
    expect(pageAt(grid, pages, grid.columns * grid.cell + 1, 0)).toBe(undefined);
    expect(pageAt(grid, pages, -1, 0)).toBe(undefined);
  }
});

test('a page is filled as far as its tokens reach', () => {
  const filled: { color: string; height: number }[] = [];
  const context = {
    fillStyle: '',
    clearRect: () => undefined,
    fillRect(_x: number, _y: number, _width: number, height: number) {
      filled.push({ color: this.fillStyle, height });
    },
    strokeRect: () => undefined,
  };
  const colors = { free: 'f', used: 'u', shared: 's', 'partly filled': 'p', ink: 'i' };
  const grid = { columns: 4, rows: 3, cell: 18 };
  drawPages(context as unknown as CanvasRenderingContext2D, table, grid, colors, 0);
  expect(filled.filter(({ color }) => color === 'u').map(({ height }) => height)).toEqual(
    new Array(6).fill(16),
  );
  // 2 and 1 of 16 tokens.
  const partial = filled.filter(({ color }) => color === 'p').map(({ height }) => height);
  expect(partial.sort((a, b) => a - b)).toEqual([1, 2]);
  expect(filled.filter(({ color }) => color === 's')).toHaveLength(1);
});
