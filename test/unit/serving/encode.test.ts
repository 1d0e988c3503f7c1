import { describe, expect, it } from 'vitest';
import { checkComposition } from '../../../lib/serving/compose/check-composition';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { chooseSwitch } from '../../../lib/serving/parts/role-control';
import { acceleratorCount } from '../../../lib/serving/presets/degrees';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { composedStrategy } from '../../../lib/spec/kinds/serve-parts';
import { workloadOf } from './arbitrary-composed';

const params = (parts: object) =>
  serveParams.parse({
    strategy: { type: 'composed', batchFormer: { type: 'prefill-first' }, ...parts },
  });
const ttft = (parts: object, items: readonly number[]) => {
  const load = { ...workloadOf([[0, 600, 5, 0]]), items: Int32Array.from(items) };
  const all = params(parts);
  return simulate(all, load, makeCostModel(all)).metrics.ttftSeconds.mean;
};

describe('images before prompts', () => {
  const bare = ttft({}, [3]);

  it('are encoded one after the other, or at once on all encoders', () => {
    expect(ttft({ encode: { type: 'inline', millisecondsPerItem: 1000 } }, [3])).toBeCloseTo(
      bare + 3,
      9,
    );
    const pool = (workers: number, parallel = true) =>
      ttft(
        {
          encode: {
            type: 'pool',
            workers,
            parallel,
            millisecondsPerItem: 1000,
            megabytesPerItem: 25,
            linkGigabytesPerSecond: 1,
          },
        },
        [3],
      );
    const moved = (3 * 25e6) / 1e9;
    expect(pool(1)).toBeCloseTo(bare + 3 + moved, 9);
    expect(pool(2)).toBeCloseTo(bare + 2 + moved, 9);
    expect(pool(3)).toBeCloseTo(bare + 1 + moved, 9);
    expect(pool(3, false)).toBeCloseTo(bare + 3 + moved, 9);
  });

  it('take nothing where a request has none', () => {
    for (const type of ['inline', 'pool']) expect(ttft({ encode: { type } }, [0])).toBe(bare);
  });

  it('take memory beside the model, and accelerators apart', () => {
    const blocks = (encode: object) => {
      const all = params({ encode });
      return simulate(all, workloadOf([[0, 10, 2, 0]]), makeCostModel(all)).kvPlan.blocks;
    };
    const bytes = 16 * 131_072;
    expect(blocks({ type: 'none' }) - blocks({ type: 'inline', gigabytes: 4 })).toBeCloseTo(
      4e9 / bytes,
      -1,
    );
    expect(acceleratorCount(params({ encode: { type: 'pool', workers: 5 } }))).toBe(6);
  });
});

describe('workers that change their stage', () => {
  it('the longest queue gets a worker from the shortest that can spare one', () => {
    const workers = { encode: 5, prefill: 2, decode: 1 };
    const queues = (encode: number, prefill: number, decode: number) => ({
      encode,
      prefill,
      decode,
    });
    expect(chooseSwitch(queues(0, 1, 9), workers)).toEqual({ from: 'encode', to: 'decode' });
    expect(chooseSwitch(queues(0, 1, 9), { ...workers, encode: 1 })).toEqual({
      from: 'prefill',
      to: 'decode',
    });
    expect(chooseSwitch(queues(5, 6, 9), workers)).toBeUndefined();
    expect(chooseSwitch(queues(0, 0, 0), workers)).toBeUndefined();
    expect(chooseSwitch(queues(0, 0, 9), { encode: 1, prefill: 1, decode: 1 })).toBeUndefined();
  });

  it('encoders that nobody needs decode in the end', () => {
    const rows = Array.from({ length: 60 }, (_, i) => [0.02 * i, 200, 400, 0] as const);
    const load = { ...workloadOf(rows), items: new Int32Array(rows.length) };
    const run = (roles: object) => {
      const all = params({
        topology: { type: 'pools' },
        admission: { type: 'watermark', maxSequences: 4 },
        encode: { type: 'pool', workers: 3, roles },
      });
      return simulate(all, load, makeCostModel(all));
    };
    const kept = run({ type: 'none' });
    const changed = run({ type: 'longest-queue', everySeconds: 1, switchSeconds: 0.5 });
    expect(changed.notes.join()).toContain('changed its stage');
    expect(changed.metrics.makespanSeconds).toBeLessThan(0.7 * kept.metrics.makespanSeconds);
  });
});

describe('parts that cannot work together say why', () => {
  const problem = (parts: object) =>
    checkComposition(composedStrategy.parse({ type: 'composed', ...parts }));
  const swap = { type: 'swap', forPriority: true };

  it.each([
    [{ batchFormer: { type: 'length-window' } }, 'invalid batchFormer: "length-window" without'],
    [
      { batchFormer: { type: 'length-window' }, preemption: swap },
      'invalid batchFormer: "length-window" with priority "fcfs"',
    ],
    [
      { kvAlloc: { type: 'block-group' }, prefixIndex: { type: 'radix' } },
      'invalid kvAlloc: "block-group" with prefixIndex "radix"',
    ],
    [{ preemption: { ...swap, costTest: true } }, 'with a cost test and priority "fcfs"'],
    [
      { preemption: { type: 'swap', betweenTurns: 'host' }, prefixIndex: { type: 'radix' } },
      'invalid preemption: "swap" of turns',
    ],
    [
      { router: { type: 'affinity-steal' }, topology: { type: 'pools' } },
      'invalid router: "affinity-steal" with topology "pools"',
    ],
    [
      { eviction: { type: 'lru-heads' }, prefixIndex: { type: 'radix' } },
      'invalid eviction: "lru-heads"',
    ],
    [
      { encode: { type: 'pool', roles: { type: 'longest-queue' } } },
      'roles that change and topology "colocated"',
    ],
    [
      {
        encode: { type: 'inline' },
        partition: { type: 'static' },
        batchFormer: { type: 'prefill-first' },
      },
      'invalid encode: "inline" with partition',
    ],
  ])('%j', (parts, words) => {
    expect(problem(parts)).toContain(words);
  });
});
