import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBlockContents } from '../../../lib/serving/vllm-v1/block-contents';
import { NO_RUN } from '../../../lib/serving/vllm-v1/block-names';
import { createBlockPool } from '../../../lib/serving/vllm-v1/block-pool';
import { createKvManager } from '../../../lib/serving/vllm-v1/kv-manager';
import type { PromptContent } from '../../../lib/workload/types';
import { createPlainKv } from './plain-kv';

describe('block pool', () => {
  it('takes never-used blocks first, then the end of the run released longest ago', () => {
    const pool = createBlockPool(4);
    pool.take(3);
    const run = pool.begin(7, false);
    expect(pool.extend(run, 8, false)).toBe(true);
    // The third is held without content.
    pool.release(run, 2);
    pool.dropUnnamed(1);
    pool.take(1);
    expect([...pool.shared.first.slice(7, 9)]).toEqual([run, run]);
    pool.take(1);
    expect([...pool.shared.first.slice(7, 9)]).toEqual([run, NO_RUN]);
    pool.take(2);
    expect(pool.shared.first[7]).toBe(NO_RUN);
    expect(pool.freeCount).toBe(0);
    expect(() => pool.take(1)).toThrow(/no block is free/);
  });

  it('lengthens a run only by the next content, and only for its one holder', () => {
    const pool = createBlockPool(9);
    pool.take(4);
    const run = pool.begin(7, false);
    expect(pool.extend(run, 9, false)).toBe(false);
    expect(pool.extend(run, 8, true)).toBe(false);
    pool.hold(run);
    expect(pool.extend(run, 8, false)).toBe(false);
  });

  it('finds the first of several blocks of one content, and the next once that is gone', () => {
    const pool = createBlockPool(3);
    pool.take(3);
    const runs = [1, 2, 3].map(() => pool.begin(7, false));
    const [first = 0, second = 0, third = 0] = runs;
    expect(pool.shared.first[7]).toBe(first);
    pool.release(second, 1);
    pool.take(1);
    pool.release(first, 1);
    pool.take(1);
    expect(pool.shared.first[7]).toBe(third);
  });

  it('cuts a run for one who holds its beginning, and lets the others go on behind', () => {
    const pool = createBlockPool(5);
    pool.take(4);
    const run = pool.begin(0, false);
    for (const content of [1, 2, 3]) pool.extend(run, content, false);
    const middle = pool.cut(run, 1, 2);
    pool.hold(middle);
    expect([pool.lengthOf(run), pool.startOf(middle), pool.lengthOf(middle)]).toEqual([1, 1, 2]);
    expect(pool.startOf(pool.lastOf(run, 4))).toBe(3);
    pool.release(run, 4);
    expect([pool.references(run), pool.references(middle), pool.freeCount]).toEqual([0, 1, 3]);
    pool.release(middle, 2);
    expect(pool.freeCount).toBe(5);
    // 4 never used, then 3 and 0 of the first release, then 2 and 1.
    pool.take(2);
    const left = () => [0, 1, 2, 3].filter((content) => pool.shared.first[content] !== NO_RUN);
    expect(left()).toEqual([0, 1, 2]);
    pool.take(1);
    expect(left()).toEqual([1, 2]);
    pool.take(1);
    expect(left()).toEqual([1]);
  });

  it('refuses what only a wrong caller does', () => {
    const pool = createBlockPool(2);
    pool.take(1);
    const run = pool.begin(0, false);
    pool.release(run, 1);
    expect(() => pool.release(run, 1)).toThrow(/run 0 is not held/);
    expect(() => createBlockPool(0)).toThrow(/invalid total: 0/);
  });
});

function contentOf(requests: readonly (readonly number[])[], tokensPerId = 1): PromptContent {
  const offsets = new Int32Array(requests.length + 1);
  requests.forEach((ids, i) => {
    offsets[i + 1] = (offsets[i] as number) + ids.length;
  });
  return { tokensPerId, offsets, ids: Int32Array.from(requests.flat()) };
}

describe('block contents', () => {
  it('are equal for equal prefixes and for nothing else', () => {
    const contents = createBlockContents(
      contentOf([
        [1, 2, 3, 4, 5],
        [1, 2, 3, 4],
        [9, 9, 3, 4],
      ]),
      Int32Array.of(9, 9, 9),
      2,
    );
    const all = [0, 1, 2].map((id) => [0, 1, 2].map((index) => contents.contentOf(id, index)));
    expect(all[0]?.slice(0, 2)).toEqual(all[1]?.slice(0, 2));
    // The same tokens behind other ones are another content.
    expect(all[2]?.[1]).not.toBe(all[0]?.[1]);
    // The fifth token fills no block: what follows is each request's own.
    expect(new Set([all[0]?.[2], all[1]?.[2], all[2]?.[2]]).size).toBe(3);
    expect([0, 1, 2].map((id) => contents.sharedBlocks(id))).toEqual([2, 2, 2]);
  });

  it('divide hashes of larger blocks', () => {
    const content = contentOf([[5, 6], [5]], 8);
    const contents = createBlockContents(content, Int32Array.of(20, 20), 4);
    expect(contents.sharedBlocks(0)).toBe(4);
    expect(contents.contentOf(0, 1)).toBe(contents.contentOf(1, 1));
    expect(contents.contentOf(0, 2)).not.toBe(contents.contentOf(1, 2));
    expect(() => createBlockContents(content, Int32Array.of(20, 20), 3)).toThrow(
      /invalid blockTokens: 3 .*stand for 8 tokens/,
    );
  });
});

describe('KV manager', () => {
  const prompt = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const totals = Int32Array.of(9, 9, 40);
  const contents = createBlockContents(contentOf([prompt, prompt, []]), totals, 4);

  it('evicts the end of a prefix before its beginning', () => {
    const kv = createKvManager(3, 4, contents, totals);
    expect(kv.allocate(0, 0, 9, true, 0)).toBe(true);
    kv.index(0, 9);
    kv.free(0);
    // 3 blocks released, the last first; one is taken by another request.
    expect(kv.findPrefix(2, 4)).toBe(0);
    expect(kv.allocate(2, 0, 4, true, 0)).toBe(true);
    expect(kv.findPrefix(1, 9)).toBe(8);
    kv.free(2);
    expect(kv.findPrefix(1, 8)).toBe(4);
  });

  it('counts hits that nobody holds as taken, and changes nothing when it refuses', () => {
    const kv = createKvManager(3, 4, contents, totals);
    kv.findPrefix(0, 9);
    kv.allocate(0, 0, 8, true, 0);
    kv.index(0, 8);
    kv.free(0);
    expect(kv.findPrefix(1, 9)).toBe(8);
    expect(kv.allocate(1, 8, 5, true, 0)).toBe(false);
    expect(kv.pool.freeCount).toBe(3);
    expect(kv.findPrefix(1, 9)).toBe(8);
    expect(kv.allocate(1, 8, 1, true, 13)).toBe(false);
    expect(kv.findPrefix(1, 9)).toBe(8);
    expect(kv.allocate(1, 8, 1, true, 9)).toBe(true);
    expect(kv.pool.freeCount).toBe(0);
  });

  it('finds nothing when caching is off', () => {
    const kv = createKvManager(4, 4, undefined, totals);
    kv.allocate(0, 0, 8, true, 0);
    kv.index(0, 8);
    expect(kv.findPrefix(1, 9)).toBe(0);
  });

  it('agrees with single blocks on any sequence of calls', () => {
    const requests = 6;
    const texts = fc.array(
      fc.record({ text: fc.integer({ min: 0, max: 1 }), shared: fc.nat(60), known: fc.nat(60) }),
      { minLength: requests, maxLength: requests },
    );
    const calls = fc.array(
      fc.record({
        kind: fc.integer({ min: 0, max: 4 }),
        id: fc.nat(requests - 1),
        tokens: fc.integer({ min: 1, max: 60 }),
        reserve: fc.boolean(),
      }),
      { minLength: 50, maxLength: 300 },
    );
    const blockTokens = fc.constantFrom(1, 4);
    fc.assert(
      fc.property(
        texts,
        calls,
        fc.integer({ min: 8, max: 30 }),
        blockTokens,
        (drawn, made, total, size) => {
          const ids = drawn.map(({ text, shared, known }, id) =>
            Array.from({ length: known }, (_, i) =>
              i < shared ? 100 * text + i : 1000 * (id + 1) + i,
            ),
          );
          const lengths = new Int32Array(requests).fill(60);
          const kv = createKvManager(
            total,
            size,
            createBlockContents(contentOf(ids), lengths, size),
            lengths,
          );
          const plain = createPlainKv(total, size, ids);
          const held = new Map<number, number>();
          for (const { kind, id, tokens, reserve } of made) {
            const has = held.get(id);
            if (has === undefined) {
              const hit = kv.findPrefix(id, tokens);
              expect(hit).toBe(plain.find(id, tokens));
              const known = reserve ? tokens : 0;
              const end = Math.min(tokens, hit + 20);
              const isIn = kv.allocate(id, hit, end - hit, true, known);
              expect(isIn).toBe(plain.admit(id, tokens, end, known));
              if (isIn) held.set(id, end);
              // What is said to stay refused is refused, whatever happened in between.
              for (let other = 0; other < requests; other++) {
                if (held.has(other) || !kv.isStillRefused(other, tokens)) continue;
                const found = plain.find(other, tokens);
                const first = Math.min(tokens, found + 1);
                expect(plain.admit(other, tokens, first, tokens)).toBe(false);
              }
            } else if (kind === 0) {
              kv.free(id);
              plain.free(id);
              held.delete(id);
            } else if (kind === 1) {
              kv.indexOwn(id, has);
              plain.name(id, has, true);
              kv.free(id);
              plain.free(id);
              held.delete(id);
            } else if (kind === 2) {
              kv.index(id, Math.min(has, tokens));
              plain.name(id, Math.min(has, tokens), false);
            } else if (tokens > has) {
              const isIn = kv.allocate(id, has, tokens - has, false, 0);
              expect(isIn).toBe(plain.extend(id, tokens));
              if (isIn) held.set(id, tokens);
            }
            expect(kv.pool.freeCount).toBe(plain.freeCount);
            for (let other = 0; other < requests; other++)
              expect(kv.findPrefix(other, 60)).toBe(plain.find(other, 60));
          }
        },
      ),
      { numRuns: 120 },
    );
  });
});
