import { describe, expect, test } from 'vitest';
import { createRowCache } from '../../../lib/cache/rows/row-cache';
import { createSlotCache } from '../../../lib/cache/slots/slot-cache';
import { createFullCache } from '../../../lib/transformer/full-cache';
import type { AttentionCache } from '../../../lib/transformer/types';
import { configOf } from '../../transformer/random-model';

const config = configOf({ layers: 1, heads: 2, kvHeads: 1, headSize: 4 });

function append(cache: AttentionCache, positions: readonly number[]): void {
  const rows = positions.length;
  cache.append(0, {
    rows,
    queries: new Float32Array(0),
    keys: new Float32Array(4 * rows).fill(0.5),
    values: new Float32Array(4 * rows).fill(0.25),
    positions: Int32Array.from(positions),
    tokens: new Int32Array(rows),
  });
}

const same = ({ copied }: AttentionCache, mark: number) => copied!.same(0, 0, mark);
const mark = ({ copied }: AttentionCache) => copied!.mark(0, 0);
const indices = ({ copied }: AttentionCache, positions: readonly number[]) =>
  copied!.indicesOf(0, 0, Int32Array.from(positions));

describe('what is left of a copy', () => {
  test.each([
    ['the full cache', () => createFullCache(config)],
    ['slots', () => createSlotCache(config)],
    ['rows', () => createRowCache(config)],
  ] as const)('%s: all after rows behind, nothing by an old mark or before any', (_, create) => {
    const cache = create();
    append(cache, [0, 1, 2]);
    expect(same(cache, 0)).toBe(0);
    const first = mark(cache);
    expect(same(cache, first)).toBe(3);
    append(cache, [3, 4]);
    expect(same(cache, first)).toBe(3);
    expect([...cache.copied!.positions(0, 0)]).toEqual([0, 1, 2, 3, 4]);
    const second = mark(cache);
    expect([same(cache, first), same(cache, second)]).toEqual([0, 5]);
  });

  test('the full cache: what came before the cut, also when as much came since', () => {
    const cache = createFullCache(config);
    append(cache, [0, 1, 2]);
    const at = mark(cache);
    cache.truncate(1);
    append(cache, [1, 2, 3]);
    expect(same(cache, at)).toBe(1);
  });

  test('slots: what stood before an eviction; after a rewind what was there before it', () => {
    const cache = createSlotCache(config);
    append(cache, [0, 1, 2]);
    const saved = cache.snapshot();
    append(cache, [3]);
    const at = mark(cache);
    cache.restore(saved);
    append(cache, [3, 4]);
    expect(same(cache, at)).toBe(3);
    cache.keep(0, 0, Int32Array.of(0, 2));
    expect(same(cache, at)).toBe(1);
    const after = mark(cache);
    cache.restore(saved);
    expect(same(cache, after)).toBe(0);
  });

  test('slots: a token dropped at each step leaves those before it, but not their ranks', () => {
    const [absolute, ranked] = [
      createSlotCache(config),
      createSlotCache(config, { rule: { type: 'slot-index' } }),
    ].map((cache) => {
      append(cache, [0, 1, 2, 3, 4]);
      return Array.from({ length: 3 }, (_, step) => {
        const at = mark(cache);
        append(cache, [5 + step]);
        cache.keep(0, 0, Int32Array.of(0, 1, 2, 4, 5));
        return same(cache, at);
      });
    });
    expect(absolute).toEqual([3, 3, 3]);
    expect(ranked).toEqual([0, 0, 0]);
  });

  test('rows: nothing after one is replaced, moved, dropped or brought back', () => {
    const changes = [
      (cache: ReturnType<typeof createRowCache>) => append(cache, [1]),
      (cache: ReturnType<typeof createRowCache>) => cache.move(1, 4, true),
      (cache: ReturnType<typeof createRowCache>) => cache.remove(0, 1),
      (cache: ReturnType<typeof createRowCache>) => cache.snapshot()(),
    ];
    for (const change of changes) {
      const cache = createRowCache(config);
      append(cache, [0, 1, 2]);
      const at = mark(cache);
      change(cache);
      expect(same(cache, at)).toBe(0);
    }
  });
});

describe('indices of rows on their way', () => {
  const held = (rule: Parameters<typeof createSlotCache>[1]) => {
    const cache = createSlotCache(config, rule);
    append(cache, [2, 5, 9]);
    return cache;
  };

  test('are those that the rule gives once the rows are slots', () => {
    const absolute = held({});
    expect(indices(absolute, [12, 14])).toEqual({
      keys: Int32Array.of(12, 14),
      queries: Int32Array.of(12, 14),
    });
    const ranked = held({ rule: { type: 'slot-index' } });
    const told = indices(ranked, [12, 14]);
    append(ranked, [12, 14]);
    const queries = [12, 14].map((position) => ranked.queryIndex(0, 0, position));
    expect(told).toEqual({ keys: Int32Array.of(3, 4), queries: Int32Array.from(queries) });
    const table = held({ rule: { type: 'table', indexOf: Int32Array.of(0, 1, 0, 1) } });
    expect([...indices(table, [3, 4, 6])!.keys]).toEqual([1, 2, 4]);
  });

  test('are not known where they depend on the query, or rows come among others', () => {
    expect(indices(held({ rule: { type: 'clamped-far', windowTokens: 4 } }), [12])).toBeUndefined();
    expect(indices(held({ rule: { type: 'slot-index' } }), [7])).toBeUndefined();
    const rows = createRowCache(config);
    append(rows, [0, 1]);
    expect(indices(rows, [1, 2])).toBeUndefined();
    const halves = createRowCache(config, { indexOf: (position) => position / 2 });
    expect(indices(halves, [1])).toBeUndefined();
  });
});
