import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chats, copySeconds } from '../../../lib/serving/checks/fastswitch';
import { sessionLoad } from '../../../lib/serving/checks/session-load';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { createBlockRuns } from '../../../lib/serving/general/block-runs';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { workloadOf } from './arbitrary-composed';

describe('blocks that lie together', () => {
  it('a request alone has one run, and two that grow in turns have as many as groups', () => {
    const runs = createBlockRuns(100, 10);
    for (let i = 0; i < 25; i++) {
      runs.grow(1, 1);
      runs.grow(2, 1);
    }
    expect(runs.count(1, 0, 25)).toBe(3);
    expect(runs.count(1, 12, 25)).toBe(2);
    const plain = createBlockRuns(100, 1);
    for (let i = 0; i < 25; i++) {
      plain.grow(1, 1);
      plain.grow(2, 1);
    }
    expect(plain.count(1, 0, 25)).toBe(25);
  });

  it('gives every block a place of its own, to the last', () => {
    const step = fc.record({
      id: fc.integer({ min: 0, max: 4 }),
      blocks: fc.integer({ min: 0, max: 7 }),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        (steps, group) => {
          const total = 30;
          const runs = createBlockRuns(total, group);
          const held = new Map<number, number>();
          const used = () => [...held.values()].reduce((a, b) => a + b, 0);
          for (const { id, blocks } of steps) {
            if (blocks === 0) {
              runs.free(id);
              held.delete(id);
              continue;
            }
            const taken = Math.min(blocks, total - used());
            if (taken === 0) {
              expect(() => runs.grow(id, 1)).toThrow('no place for a block');
              return;
            }
            runs.grow(id, taken);
            held.set(id, (held.get(id) ?? 0) + taken);
            const own = held.get(id) as number;
            expect(runs.count(id, 0, own)).toBeGreaterThanOrEqual(1);
            expect(runs.count(id, 0, own)).toBeLessThanOrEqual(own);
          }
        },
      ),
    );
  });
});

describe('swapping', () => {
  it('a copy is calls and bytes', () => {
    // 32 layers, keys and values: 64 calls of 10 us a run; 131,072 bytes a token over 25 GB/s.
    const bytes = (tokens: number) => (tokens * 131_072) / 25e9;
    expect(copySeconds(32, 16)).toBeCloseTo(128 * 1e-5 + bytes(32), 12);
    expect(copySeconds(32, 320)).toBeCloseTo(64 * 1e-5 + bytes(32), 12);
  });

  const run = (swap: object, more: object = {}) => {
    const params = serveParams.parse({
      strategy: {
        type: 'composed',
        priority: { type: 'lcfs' },
        admission: { type: 'fits', maxSequences: 1 },
        preemption: { type: 'swap', forPriority: true, hostGigabytesPerSecond: 1, ...swap },
        ...more,
      },
      memory: { kvBlocks: 200, blockTokens: 16 },
    });
    return simulate(
      params,
      workloadOf([
        [0, 160, 50, 0],
        [0.1, 160, 5, 0],
      ]),
      makeCostModel(params),
    );
  };

  it('the one that comes later takes the place, and the other goes on where it was', () => {
    const { requests, metrics, swapping } = run({});
    expect(requests.completedSeconds[1]).toBeLessThan(requests.completedSeconds[0] as number);
    expect(metrics.restarts).toBe(0);
    const alone = run({ forPriority: false });
    expect(alone.requests.completedSeconds[1]).toBeGreaterThan(
      alone.requests.completedSeconds[0] as number,
    );
    // Out and back: as many tokens each way, and the time of both holds up iterations.
    const moved = swapping?.movedTokens ?? 0;
    expect(moved % 2).toBe(0);
    expect(swapping?.stallSeconds).toBeCloseTo((moved * 131_072) / 1e9, 9);
  });

  it('beside computing nothing is held up, and who takes the place waits for the blocks', () => {
    const held = run({});
    const beside = run({ overlap: 'asynchronous' });
    expect(beside.swapping?.stallSeconds).toBe(0);
    expect(beside.swapping?.movedTokens).toBe(held.swapping?.movedTokens);
    const copies = beside.lanes.filter(({ role }) => role === 'link');
    expect(copies.map(({ label }) => label)).toEqual(['replica 0 to host', 'host to replica 0']);
    const out = copies[0] as (typeof copies)[number];
    const end = (out.startSeconds[0] as number) + (out.durationSeconds[0] as number);
    expect(beside.requests.firstScheduledSeconds[1]).toBeCloseTo(end, 9);
  });

  it('calls cost what they cost: a group of blocks is one run', () => {
    const bytes = run({}).swapping?.stallSeconds ?? Number.NaN;
    const paged = run({ callMicroseconds: 10 }).swapping?.stallSeconds ?? Number.NaN;
    const grouped =
      run({ callMicroseconds: 10 }, { kvAlloc: { type: 'block-group', groupBlocks: 60 } }).swapping
        ?.stallSeconds ?? Number.NaN;
    const calls = (seconds: number) => (seconds - bytes) / 1e-5 / 64;
    // Out and back of 11 or 12 blocks each, or of one run each.
    expect(calls(grouped)).toBeCloseTo(2, 6);
    expect(calls(paged)).toBeGreaterThanOrEqual(22);
    expect(calls(paged) % 1).toBeCloseTo(0, 6);
  });

  it('turns come back from the host, and copies that stay save moves', () => {
    const load = sessionLoad(chats(1, 20, 2), 1);
    const turns = (swap: object) => {
      const params = serveParams.parse({
        hardware: 'rtx-4090',
        memory: { kvBlocks: 600 },
        strategy: {
          type: 'composed',
          priority: { type: 'external', everyIterations: 20 },
          preemption: { type: 'swap', forPriority: true, betweenTurns: 'host', ...swap },
        },
      });
      return simulate(params, load, makeCostModel(params));
    };
    for (const overlap of ['none', 'asynchronous']) {
      const plain = turns({ overlap });
      const kept = turns({ overlap, keepsCopy: true });
      expect(plain.metrics.unfinished).toBe(0);
      const { offsets } = load.programs as NonNullable<typeof load.programs>;
      load.promptTokens.forEach((_, id) => {
        const isFirst = offsets[id] === offsets[id + 1];
        expect((plain.requests.hitTokens?.[id] ?? 0) > 0).toBe(!isFirst);
      });
      expect(kept.swapping?.movedTokens).toBeLessThan(plain.swapping?.movedTokens ?? 0);
    }
  });

  it('a host without room makes nobody wait: what has no place is computed again', () => {
    const { metrics, swapping } = run({ hostGigabytes: 0.001 });
    expect(metrics.unfinished).toBe(0);
    expect(swapping?.movedTokens).toBe(0);
  });
});
