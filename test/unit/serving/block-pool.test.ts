import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBlockContents } from '../../../lib/serving/vllm-v1/block-contents';
import { createBlockPool, NO_BLOCK } from '../../../lib/serving/vllm-v1/block-pool';
import { createKvManager } from '../../../lib/serving/vllm-v1/kv-manager';
import type { PromptContent } from '../../../lib/workload/types';

describe('block pool', () => {
  it('takes never-used blocks first, then the one released longest ago', () => {
    const pool = createBlockPool(3);
    expect([pool.take(), pool.take()]).toEqual([0, 1]);
    pool.release(1);
    pool.release(0);
    expect(pool.take()).toBe(2);
    expect(pool.freedInOrder()).toEqual([1, 0]);
    expect(pool.take()).toBe(1);
    expect(pool.take()).toBe(0);
    expect(() => pool.take()).toThrow(/no block is free/);
  });

  it('finds released content until its block is taken again', () => {
    const pool = createBlockPool(1);
    const block = pool.take();
    pool.name(block, 7);
    pool.release(block);
    expect(pool.find(7)).toBe(block);
    pool.hold(block);
    expect(pool.freeCount).toBe(0);
    pool.release(block);
    pool.take();
    expect(pool.find(7)).toBe(NO_BLOCK);
  });

  it('finds the first of several blocks of one content, and the next once that is gone', () => {
    const pool = createBlockPool(3);
    const blocks = [pool.take(), pool.take(), pool.take()] as const;
    for (const block of blocks) pool.name(block, 7);
    expect(pool.find(7)).toBe(0);
    pool.release(1);
    expect(pool.take()).toBe(1);
    pool.release(0);
    expect(pool.take()).toBe(0);
    expect(pool.find(7)).toBe(2);
    pool.name(0, 7);
    expect(pool.find(7)).toBe(2);
  });

  it('refuses what only a wrong caller does', () => {
    const pool = createBlockPool(2);
    expect(() => pool.release(0)).toThrow(/block 0 is not held/);
    const block = pool.take();
    pool.release(block);
    expect(() => pool.release(block)).toThrow(/block 0 is not held/);
    expect(() => pool.name(block, 1)).toThrow(/block 0 is not held/);
    expect(() => createBlockPool(0)).toThrow(/invalid total: 0/);
  });

  it('agrees with lists and sets on any sequence of calls', () => {
    const calls = fc.array(
      fc.record({ kind: fc.integer({ min: 0, max: 3 }), pick: fc.nat(1000) }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), calls, (total, drawn) => {
        const pool = createBlockPool(total);
        const free = Array.from({ length: total }, (_, i) => i);
        const users = new Array<number>(total).fill(0);
        const contents: { block: number; content: number }[] = [];
        for (const { kind, pick } of drawn) {
          const held = users.flatMap((count, block) => (count > 0 ? [block] : []));
          if (kind === 0 && free.length > 0) {
            const block = free.shift() as number;
            const at = contents.findIndex((each) => each.block === block);
            if (at >= 0) contents.splice(at, 1);
            users[block] = 1;
            expect(pool.take()).toBe(block);
          } else if (kind === 1 && held.length > 0) {
            const block = held[pick % held.length] as number;
            users[block] = (users[block] as number) - 1;
            if (users[block] === 0) free.push(block);
            pool.release(block);
          } else if (kind === 2 && contents.length > 0) {
            const { block } = contents[pick % contents.length] as { block: number };
            if (users[block] === 0) free.splice(free.indexOf(block), 1);
            users[block] = (users[block] as number) + 1;
            pool.hold(block);
          } else if (kind === 3) {
            const block = held.find((each) => !contents.some((named) => named.block === each));
            if (block === undefined) continue;
            contents.push({ block, content: pick % 4 });
            pool.name(block, pick % 4);
          }
          // Nothing is lost or there twice: held and free blocks are all blocks.
          expect(pool.freeCount).toBe(free.length);
          users.forEach((count, block) => {
            expect(pool.references(block)).toBe(count);
          });
          for (let content = 0; content < 4; content++) {
            const first = contents.find((each) => each.content === content)?.block ?? NO_BLOCK;
            expect(pool.find(content)).toBe(first);
          }
        }
      }),
      { numRuns: 300 },
    );
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
  const contents = createBlockContents(contentOf([prompt, prompt, []]), Int32Array.of(9, 9, 40), 4);

  it('evicts the end of a prefix before its beginning', () => {
    const kv = createKvManager(3, 4, contents, 3);
    expect(kv.allocate(0, 0, 9, true, 0)).toBe(true);
    kv.index(0, 9);
    kv.free(0);
    // 3 blocks released, the last first; one is taken by another request.
    expect(kv.findPrefix(2, 4)).toBe(0);
    expect(kv.allocate(2, 0, 4, true, 0)).toBe(true);
    expect(kv.blocksOf(2)).toEqual([2]);
    expect(kv.findPrefix(1, 9)).toBe(8);
    kv.free(2);
    expect(kv.findPrefix(1, 8)).toBe(4);
  });

  it('counts hits that nobody holds as taken, and changes nothing when it refuses', () => {
    const kv = createKvManager(3, 4, contents, 3);
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
    const kv = createKvManager(4, 4, undefined, 3);
    kv.allocate(0, 0, 8, true, 0);
    kv.index(0, 8);
    expect(kv.findPrefix(1, 9)).toBe(0);
  });
});
