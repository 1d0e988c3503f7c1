import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildBlockList } from '../../../lib/attention/block-list';
import { BLOCK, blockRow, blockStateAt, blockStates } from '../../../lib/attention/block-states';
import { makeProgram } from '../../../lib/attention/program';
import type { BlockList } from '../../../lib/attention/types';
import { attentionParams } from '../../../lib/spec/kinds/attention';
import { blockOutlines, type Outline, SEGMENT } from '../../../lib/views/map/block-outline';
import { readingText } from '../../../lib/views/map/reading';

const SHAPE = { batch: 1, queryHeads: 2, kvHeads: 1, queries: 70, keys: 83, headSize: 8 };

function listOf(variant: object, blockQueries = 16, blockKeys = 8): BlockList {
  const params = attentionParams.parse({ shape: SHAPE, variant });
  return buildBlockList(makeProgram(params), params.shape, 0, [0, 0], blockQueries, blockKeys);
}

/** A list from a grid of states. */
function listFrom(grid: readonly (readonly number[])[]): BlockList {
  const offsets = [0];
  const fullCounts: number[] = [];
  const blocks: number[] = [];
  for (const row of grid) {
    const of = (state: number) => [...row.keys()].filter((c) => row[c] === state);
    fullCounts.push(of(BLOCK.full).length);
    blocks.push(...of(BLOCK.full), ...of(BLOCK.partial));
    offsets.push(blocks.length);
  }
  return {
    blockQueries: 1,
    blockKeys: 1,
    queryBlocks: grid.length,
    keyBlocks: grid[0]?.length ?? 0,
    offsets: Uint32Array.from(offsets),
    fullCounts: Uint32Array.from(fullCounts),
    blocks: Uint32Array.from(blocks),
  };
}

const grids = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
  .chain(([rows, columns]) =>
    fc.array(fc.array(fc.constantFrom(0, 1, 2), { minLength: columns, maxLength: columns }), {
      minLength: rows,
      maxLength: rows,
    }),
  );

describe('block states', () => {
  it('are what the list says, for every block', () => {
    fc.assert(
      fc.property(grids, (grid) => {
        const list = listFrom(grid);
        expect([...blockStates(list)]).toEqual(grid.flat());
        grid.forEach((row, r) => {
          expect(row.map((_, c) => blockStateAt(list, r, c))).toEqual(row);
          const { full, partial, skipped } = blockRow(list, r);
          expect([skipped, partial, full]).toEqual(
            [0, 1, 2].map((state) => row.filter((each) => each === state).length),
          );
        });
      }),
    );
  });

  it('agree with the mask: full sees all of its elements, skipped none', () => {
    const variant = { type: 'window-sinks', windowTokens: 20, sinkTokens: 3 };
    const list = listOf(variant);
    const program = makeProgram(attentionParams.parse({ shape: SHAPE, variant }));
    for (let q = 0; q < SHAPE.queries; q++) {
      for (let k = 0; k < SHAPE.keys; k++) {
        const state = blockStateAt(list, q, k);
        const isVisible = program.isVisible(0, 0, q, k);
        if (state === BLOCK.full) expect(isVisible).toBe(true);
        if (state === BLOCK.skipped) expect(isVisible).toBe(false);
      }
    }
  });

  it('are told as ranges of key blocks', () => {
    const list = listFrom([[2, 2, 0, 1, 2, 1, 1]]);
    expect(blockRow(list, 0)).toMatchObject({ fullRanges: '0-1, 4', partialRanges: '3, 5-6' });
  });

  it('are part of the reading', () => {
    const list = listFrom([[2, 1, 0]]);
    const text = (key: number) =>
      readingText({ query: 0, key, first: 0.5, second: undefined }, ['', ''], undefined, list);
    expect([0, 1, 2].map(text)).toEqual([
      'query 0, key 0: 0.5000, in a full block',
      'query 0, key 1: 0.5000, in a partial block',
      'query 0, key 2: 0.5000, in a skipped block',
    ]);
  });
});

describe('outlines', () => {
  /** Unit edges of an outline, "axis at along side". */
  const edgesOf = ({ horizontal, vertical }: Outline) => {
    const edges: string[] = [];
    for (const [axis, segments] of [
      ['h', horizontal],
      ['v', vertical],
    ] as const) {
      for (let i = 0; i < segments.length; i += SEGMENT) {
        const [at, from, to, side] = segments.subarray(i, i + SEGMENT) as unknown as number[];
        for (let along = from as number; along < (to as number); along++)
          edges.push(`${axis} ${at} ${along} ${side}`);
      }
    }
    return edges.sort();
  };

  it('are every edge between a region and what lies outside, once', () => {
    fc.assert(
      fc.property(grids, (grid) => {
        const outlines = blockOutlines(listFrom(grid));
        for (const [state, outline] of [
          [BLOCK.full, outlines.full],
          [BLOCK.partial, outlines.partial],
        ] as const) {
          const isIn = (r: number, c: number) => grid[r]?.[c] === state;
          const expected: string[] = [];
          grid.forEach((row, r) => {
            row.forEach((_, c) => {
              if (!isIn(r, c)) return;
              if (!isIn(r - 1, c)) expected.push(`h ${r} ${c} 1`);
              if (!isIn(r + 1, c)) expected.push(`h ${r + 1} ${c} -1`);
              if (!isIn(r, c - 1)) expected.push(`v ${c} ${r} 1`);
              if (!isIn(r, c + 1)) expected.push(`v ${c + 1} ${r} -1`);
            });
          });
          expect(edgesOf(outline)).toEqual(expected.sort());
        }
      }),
    );
  });

  it('of a causal mask grow with its side, not with its area', () => {
    const count = (blocks: number) => {
      const params = attentionParams.parse({
        shape: { ...SHAPE, queries: blocks * 4, keys: blocks * 4 },
      });
      const list = buildBlockList(makeProgram(params), params.shape, 0, [0, 0], 4, 4);
      const { full, partial } = blockOutlines(list);
      return [full, partial].reduce(
        (sum, { horizontal, vertical }) => sum + (horizontal.length + vertical.length) / SEGMENT,
        0,
      );
    };
    expect(count(128)).toBeLessThanOrEqual(2 * count(64) + 8);
  });
});
