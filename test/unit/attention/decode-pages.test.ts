import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeCall } from '../../../lib/attention/decode/call';
import {
  allocatePages,
  fillPool,
  pageUsers,
  summarisePages,
} from '../../../lib/attention/decode/pages';
import { decodeOnCpu } from '../../../lib/gpu/decode-on-cpu';
import { decodeOnWasm } from '../../../lib/gpu/decode-on-wasm';
import { runDecode } from '../../../lib/gpu/run-decode';
import { decodeParams } from '../../../lib/spec/kinds/decode';

const shape = { batch: 3, queryHeads: 4, kvHeads: 2, keys: 203, headSize: 16 };
const parse = (params: object) =>
  decodeParams.parse({ shape, storages: [{ name: 'f32' }], timedRuns: 2, ...params });
const run = (params: object, runner = decodeOnCpu) =>
  runDecode(parse(params), runner, new AbortController().signal, () => undefined);
const paged = (change: object = {}) => ({
  layout: { type: 'paged', lengths: 'ragged', ...change },
});

describe('pages', () => {
  const cases = fc
    .record({
      pageTokens: fc.constantFrom(16, 32),
      lengths: fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 6 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      seed: fc.integer({ min: 0, max: 99 }),
    })
    .map(({ share, lengths, ...each }) => ({
      ...each,
      lengths: Uint32Array.from(lengths),
      prefix: Math.floor(share * Math.min(...lengths)),
    }));

  test('every token has one place, and only whole pages of the prefix are shared', () => {
    fc.assert(
      fc.property(cases, ({ pageTokens, lengths, prefix, seed }) => {
        const table = allocatePages(lengths, pageTokens, prefix, seed);
        const shared = lengths.length > 1 ? Math.floor(prefix / pageTokens) : 0;
        const named = [...lengths].flatMap((tokens, b) =>
          Array.from({ length: Math.ceil(tokens / pageTokens) }, (_, i) => ({
            page: table.blockTable[b * table.pagesPerSequence + i]!,
            i,
          })),
        );
        const own = named.filter(({ i }) => i >= shared).map(({ page }) => page);
        expect(new Set(own).size).toBe(own.length);
        for (const { page, i } of named) {
          expect(table.pageOwners[page]).toBe(i < shared ? lengths.length : 1);
          expect(table.pageUse[page]).toBeGreaterThan(0);
          expect(pageUsers(table, page)).toHaveLength(table.pageOwners[page]!);
        }
        const summary = summarisePages(table, 8);
        expect(summary.sharedPages).toBe(shared);
        expect(summary.usedPages).toBe(new Set(named.map(({ page }) => page)).size);
        // Places: own tokens and the shared ones once.
        const tokens = lengths.reduce((sum, each) => sum + each, 0);
        const distinct = tokens - (lengths.length - 1) * shared * pageTokens;
        const places = summary.usedPages * pageTokens;
        expect(summary.internalFragmentation).toBeCloseTo(1 - distinct / places, 12);
        expect(summary.savedBytes).toBe((lengths.length - 1) * shared * pageTokens * 8);
        expect(summary.pageBytes).toBe(places * 8);
      }),
    );
  });

  test('internal fragmentation is what the last pages leave empty', () => {
    const { internalFragmentation, partialPages, usedPages } = summarisePages(
      allocatePages(Uint32Array.of(16, 17, 40), 16, 0, 1),
      8,
    );
    expect(usedPages).toBe(1 + 2 + 3);
    expect(partialPages).toBe(2);
    expect(internalFragmentation).toBeCloseTo((15 + 8) / 96, 12);
  });

  test('a pool holds every row where the block table says', () => {
    const { inputs, pages } = decodeCall(parse(paged({ sharedPrefixTokens: 40 })));
    const pool = fillPool(pages!, inputs.key, shape);
    const row = (b: number, h: number, t: number) => ((b * 2 + h) * 203 + t) * 16;
    pages!.lengths.forEach((tokens, b) => {
      for (let t = 0; t < tokens; t++) {
        const page = pages!.blockTable[b * pages!.pagesPerSequence + Math.floor(t / 16)]!;
        for (let h = 0; h < 2; h++) {
          const at = ((page * 2 + h) * 16 + (t % 16)) * 16;
          expect(pool.subarray(at, at + 16)).toEqual(
            inputs.key.subarray(row(b, h, t), row(b, h, t) + 16),
          );
        }
      }
    });
  });
});

describe('a paged step', () => {
  test('of equal lengths is the contiguous one', async () => {
    const runners = [decodeOnCpu, decodeOnWasm(undefined, undefined, undefined)];
    for (const runner of runners) {
      const contiguous = await run({}, runner);
      const pages = await run(paged({ lengths: 'equal' }), runner);
      expect(pages.storages[0]!.error).toEqual(contiguous.storages[0]!.error);
      expect(pages.storages[0]!.timing.flops).toBe(contiguous.storages[0]!.timing.flops);
    }
  });

  test('of ragged lengths compares each sequence with itself', async () => {
    const { storages, paged: pages } = await run(
      paged(),
      decodeOnWasm(undefined, undefined, undefined),
    );
    expect(new Set(pages!.lengths).size).toBe(3);
    expect(storages[0]!.kernelError).toMatchObject({ withinTolerance: true, checkedRows: 12 });
    expect(storages[0]!.error.relativeL2).toBeLessThan(1e-5);
  });

  test('counts shared pages once', async () => {
    const own = await run(paged());
    const shared = await run(paged({ sharedPrefixTokens: 20 }));
    const [a, b] = [own.paged!, shared.paged!];
    expect(a.lengths).toEqual(b.lengths);
    const perToken = 2 * 2 * 16 * 4;
    expect(b.savedBytes).toBe(2 * 16 * perToken);
    expect(a.pageBytes - b.pageBytes).toBe(b.savedBytes);
    const tokens = a.lengths.reduce((sum, each) => sum + each, 0);
    const [first] = shared.storages;
    expect(first!.key.total + first!.value.total).toBe(b.pageBytes);
    expect(first!.bytesPerToken).toBeCloseTo((b.pageBytes + b.tableBytes) / tokens, 10);
    expect(first!.ratioToF32).toBeCloseTo(first!.bytesPerToken / perToken, 12);
    expect(b.tableBytes).toBe(4 * (3 * Math.ceil(203 / 16) + 3));
    expect(b.reservedBytes).toBe(3 * 203 * perToken);
  });

  test('keeps a prefix equal in all sequences', () => {
    const { inputs } = decodeCall(parse(paged({ sharedPrefixTokens: 20 })));
    const rows = (tensor: Float32Array, b: number) =>
      tensor.slice(b * 2 * 203 * 16, b * 2 * 203 * 16 + 320);
    for (const b of [1, 2]) {
      expect(rows(inputs.key, b)).toEqual(rows(inputs.key, 0));
      expect(rows(inputs.value, b)).toEqual(rows(inputs.value, 0));
    }
  });
});
