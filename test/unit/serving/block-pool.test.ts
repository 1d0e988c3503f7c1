import { describe, expect, it } from 'vitest';
import { type BlockPool, createBlockPool } from '../../../lib/serving/vllm-v1/block-pool';
import { NO_RUN } from '../../../lib/serving/vllm-v1/runs';

/** Contents of node 0 that are in memory. */
const inMemory = (pool: BlockPool, most = 20): number[] =>
  Array.from({ length: most }, (_, at) => at).filter((at) => pool.index.find(0, at) !== NO_RUN);

describe('block pool', () => {
  it('takes never-used blocks first, then the end of the run released longest ago', () => {
    const pool = createBlockPool(4, Int32Array.of(20));
    pool.take(3);
    const run = pool.begin(0, 7, 1);
    expect(pool.extend(run, 0, 8, 1)).toBe(1);
    // The third is held without content.
    pool.release(run, 2);
    pool.dropUnnamed(1);
    pool.take(1);
    expect(inMemory(pool)).toEqual([7, 8]);
    pool.take(1);
    expect(inMemory(pool)).toEqual([7]);
    pool.take(2);
    expect(inMemory(pool)).toEqual([]);
    expect(pool.freeCount).toBe(0);
    expect(() => pool.take(1)).toThrow(/no block is free/);
  });

  it('lengthens a run only by the next contents, and only for its one holder', () => {
    const pool = createBlockPool(9, Int32Array.of(20));
    pool.take(6);
    const run = pool.begin(0, 7, 1);
    expect(pool.extend(run, 0, 9, 1)).toBe(0);
    expect(pool.extend(run, 1, 8, 1)).toBe(0);
    expect(pool.extendAlone(run, 9, 1)).toBe(false);
    expect(pool.extendAlone(run, 8, 2)).toBe(true);
    pool.hold(run);
    expect(pool.extend(run, 0, 10, 1)).toBe(0);
    expect(pool.extendAlone(run, 10, 1)).toBe(false);
  });

  it('lengthens a run alone up to where its node ends, and beside others up to what they have', () => {
    const pool = createBlockPool(20, Int32Array.of(10));
    pool.take(20);
    const run = pool.begin(0, 0, 2);
    expect(pool.extendAlone(run, 2, 9)).toBe(false);
    const other = pool.begin(0, 5, 2);
    expect(pool.extendAlone(run, 2, 1)).toBe(false);
    expect(pool.extend(run, 0, 2, 6)).toBe(3);
    expect(pool.extend(run, 0, 5, 1)).toBe(0);
    expect([pool.index.find(0, 4), pool.index.find(0, 5)]).toEqual([run, other]);
    // A node that was not there at first has no end.
    const own = pool.begin(7, 0, 1);
    expect(pool.extendAlone(own, 1, 1)).toBe(false);
    expect(pool.extend(own, 7, 1, 4)).toBe(4);
  });

  it('finds the first of several blocks of one content, and the next once that is gone', () => {
    const pool = createBlockPool(3, Int32Array.of(20));
    pool.take(3);
    const runs = [1, 2, 3].map(() => pool.begin(0, 7, 1));
    const [first = 0, second = 0, third = 0] = runs;
    expect(pool.index.find(0, 7)).toBe(first);
    pool.release(second, 1);
    pool.take(1);
    pool.release(first, 1);
    pool.take(1);
    expect(pool.index.find(0, 7)).toBe(third);
  });

  it('finds in each of several runs the part that was named first', () => {
    const pool = createBlockPool(30, Int32Array.of(20));
    pool.take(20);
    const middle = pool.begin(0, 4, 3);
    const long = pool.begin(0, 0, 10);
    const found = Array.from({ length: 11 }, (_, at) => pool.index.find(0, at));
    const expected = [0, 1, 2, 3].map(() => long).concat([4, 5, 6].map(() => middle));
    expect(found).toEqual([...expected, long, long, long, NO_RUN]);
    pool.index.find(0, 1);
    expect(pool.index.foundEnd).toBe(4);
    pool.index.find(0, 4);
    expect(pool.index.foundEnd).toBe(7);
    pool.index.find(0, 7);
    expect(pool.index.foundEnd).toBe(10);
  });

  it('cuts a run for one who holds its beginning, and lets the others go on behind', () => {
    const pool = createBlockPool(5, Int32Array.of(20));
    pool.take(4);
    const run = pool.begin(0, 0, 4);
    const middle = pool.cut(run, 1, 2);
    pool.hold(middle);
    const { lengths, starts, references } = pool.runs;
    expect([lengths[run], starts[middle], lengths[middle]]).toEqual([1, 1, 2]);
    expect(starts[pool.lastOf(run, 4)]).toBe(3);
    pool.release(run, 4);
    expect([references[run], references[middle], pool.freeCount]).toEqual([0, 1, 3]);
    pool.release(middle, 2);
    expect(pool.freeCount).toBe(5);
    // 4 never used, then 3 and 0 of the first release, then 2 and 1.
    pool.take(2);
    expect(inMemory(pool)).toEqual([0, 1, 2]);
    pool.take(1);
    expect(inMemory(pool)).toEqual([1, 2]);
    pool.take(1);
    expect(inMemory(pool)).toEqual([1]);
  });

  it('lengthens a run beside an older one, but not beside what was once cut off its end', () => {
    const pool = createBlockPool(30, Int32Array.of(20));
    pool.take(20);
    const older = pool.begin(0, 0, 6);
    const younger = pool.begin(0, 0, 2);
    expect(pool.extend(younger, 0, 2, 6)).toBe(6);
    expect([pool.index.find(0, 5), pool.index.find(0, 6)]).toEqual([older, younger]);
    // Its beginning is held once more, and the rest is free but in memory.
    pool.hold(pool.cut(younger, 0, 4));
    const rest = pool.lastOf(younger, 8);
    pool.release(older, 6);
    pool.release(younger, 8);
    expect(pool.extend(younger, 0, 4, 1)).toBe(0);
    // The never-used ones and all of the older run.
    pool.take(10 + 6);
    expect([pool.index.find(0, 3), pool.index.find(0, 4)]).toEqual([younger, rest]);
  });

  it('goes on when there are more runs and nodes than there was room for', () => {
    const pool = createBlockPool(2000, Int32Array.of(3));
    pool.take(2000);
    const runs = Array.from({ length: 1000 }, (_, node) => pool.begin(node, 0, 2));
    expect(runs.map((run, node) => pool.index.find(node, 1) === run)).not.toContain(false);
    for (const run of runs) pool.release(run, 2);
    pool.take(1001);
    expect([499, 500, 501].map((node) => pool.index.find(node, 0) !== NO_RUN)).toEqual([
      false,
      true,
      true,
    ]);
    expect(pool.index.find(500, 1)).toBe(NO_RUN);
  });

  it('refuses what only a wrong caller does', () => {
    const pool = createBlockPool(2, Int32Array.of(20));
    pool.take(1);
    const run = pool.begin(0, 0, 1);
    pool.release(run, 1);
    expect(() => pool.release(run, 1)).toThrow(/run 1 is not held/);
    expect(() => createBlockPool(0, new Int32Array(0))).toThrow(/invalid total: 0/);
  });
});
