import { describe, expect, it } from 'vitest';
import { checkComposition } from '../../../lib/serving/compose/check-composition';
import { presetOf, presetStrategy, STRATEGY_PRESETS } from '../../../lib/serving/compose/presets';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { type ComposedStrategy, composedStrategy } from '../../../lib/spec/kinds/serve-parts';
import { type Row, workloadOf } from './arbitrary-composed';
import { expectConservation } from './conservation';

const strategyOf = (id: string): ComposedStrategy => {
  const found = STRATEGY_PRESETS.find((each) => each.id === id);
  if (found === undefined) throw new Error(`no preset ${id}`);
  return found.strategy;
};
function run(strategy: object, rows: readonly Row[], memory: object = {}) {
  const params = serveParams.parse({ strategy, memory });
  return simulate(params, workloadOf(rows), makeCostModel(params));
}
const mean = (values: ArrayLike<number>) =>
  Array.from(values).reduce((a, b) => a + b, 0) / values.length;
const latencies = ({ requests }: ReturnType<typeof run>) =>
  requests.completedSeconds.map((end, i) => end - (requests.arrivalSeconds[i] as number));

/** A burst of long and short requests, more than run at once. */
const burst: Row[] = Array.from({ length: 60 }, (_, i) => [
  i * 1e-3,
  i % 3 === 0 ? 900 : 60,
  i % 2 === 0 ? 200 : 8,
  i % 4,
]);

describe('strategy presets', () => {
  it.each(STRATEGY_PRESETS.map(({ id }) => id))('%s runs to the end and loses nothing', (id) => {
    const strategy = strategyOf(id);
    expect(checkComposition(strategy)).toBeUndefined();
    expect(presetOf(strategy)?.id).toBe(id);
    expect(composedStrategy.parse(JSON.parse(JSON.stringify(strategy)))).toEqual(strategy);
    const result = run(strategy, burst, { kvBlocks: 1200 });
    expect(result.metrics.refused).toBe(0);
    expectConservation(result, 1200);
  });

  it('keep the number of replicas, and are recognised with it', () => {
    const four = { ...strategyOf('orca'), topology: { type: 'colocated' as const, replicas: 4 } };
    const preset = STRATEGY_PRESETS.find(({ id }) => id === 'srpt');
    if (preset === undefined) throw new Error('no preset srpt');
    const chosen = presetStrategy(preset, four);
    expect(chosen.topology).toEqual(four.topology);
    expect(presetOf(chosen)?.id).toBe('srpt');
    expect(presetOf({ ...chosen, priority: { type: 'fcfs' } })).toBeUndefined();
  });
});

describe('what a part does', () => {
  const few = { admission: { type: 'watermark', maxSequences: 4 } } as const;

  it('shortest first lowers the mean latency, and last come the first of all', () => {
    const fcfs = run({ ...strategyOf('sarathi-serve'), ...few }, burst);
    const sjf = run({ ...strategyOf('sjf'), ...few }, burst);
    const srpt = run({ ...strategyOf('srpt'), ...few }, burst);
    const lcfs = run({ ...strategyOf('lcfs'), ...few }, burst);
    expect(mean(latencies(sjf))).toBeLessThan(0.8 * mean(latencies(fcfs)));
    expect(srpt.metrics.restarts).toBeGreaterThan(0);
    const last = burst.length - 1;
    expect(lcfs.requests.firstTokenSeconds[last]).toBeLessThan(
      (fcfs.requests.firstTokenSeconds[last] as number) / 2,
    );
  });

  it('a prediction error costs shortest first some of its gain', () => {
    const of = (predictionError: number) =>
      run(
        {
          ...strategyOf('sjf'),
          ...few,
          priority: { type: 'sjf', by: 'output', predictionError },
        },
        burst,
      );
    expect(mean(latencies(of(3)))).toBeGreaterThan(mean(latencies(of(0))));
  });

  it('deadlines by prompt length let a short prompt overtake a long one', () => {
    const rows: Row[] = [
      [0, 4000, 50, 0],
      [0.001, 4000, 50, 0],
      [0.002, 30, 50, 0],
    ];
    const one = { admission: { type: 'watermark', maxSequences: 1 } };
    const edf = run({ ...strategyOf('edf'), ...one }, rows).requests.firstTokenSeconds;
    const fcfs = run({ ...strategyOf('sarathi-serve'), ...one }, rows).requests.firstTokenSeconds;
    expect(edf[2]).toBeLessThan(edf[1] as number);
    expect(fcfs[2]).toBeGreaterThan(fcfs[1] as number);
  });

  it('the token counter protects a light client from a heavy one', () => {
    // Client 0 floods, client 1 sends a request now and then.
    const rows: Row[] = Array.from(
      { length: 120 },
      (_, i): Row => [i * 0.01, 300, 60, i % 12 === 11 ? 1 : 0],
    );
    const waitOf = (id: string) => {
      const { requests } = run({ ...strategyOf(id), ...few }, rows);
      const waits = rows.flatMap(([arrival, , , client], i) =>
        client === 1 ? [(requests.firstTokenSeconds[i] as number) - arrival] : [],
      );
      return mean(waits);
    };
    expect(waitOf('vtc')).toBeLessThan(0.25 * waitOf('sarathi-serve'));
  });

  it('swapping moves KV instead of computing it again', () => {
    const rows: Row[] = Array.from({ length: 12 }, (_, i) => [0.01 * i, 60, 50, 0]);
    const memory = { kvBlocks: 24, watermark: 0 };
    const swap = run(strategyOf('vllm-v0-swap'), rows, memory);
    const recompute = run(strategyOf('vllm-v0'), rows, memory);
    expect(recompute.metrics.restarts).toBeGreaterThan(0);
    expect(swap.metrics.restarts).toBe(0);
    expect(swap.notes.join()).toMatch(/^\d+ preemptions moved KV to host memory and back$/);
    expectConservation(swap, 24);
  });

  it('a static batch lets nothing join, and gives its slots back together', () => {
    const rows: Row[] = [
      [0, 100, 5, 0],
      [0, 100, 50, 0],
      [0.01, 100, 5, 0],
    ];
    const { requests, lanes } = run(strategyOf('static'), rows);
    expect(requests.firstScheduledSeconds[2]).toBe(requests.completedSeconds[1]);
    expect(new Set(lanes[0]?.kvBlocksUsed)).toEqual(new Set([1024, 512]));
  });

  it('pools send the KV over the link, less what the prefill hides', () => {
    const of = (overlap: number) => {
      const strategy = strategyOf('splitwise');
      const topology = { ...strategy.topology, linkGigabytesPerSecond: 1, overlap };
      const { lanes } = run({ ...strategy, topology }, [[0, 1000, 4, 0]]);
      return lanes.find(({ role }) => role === 'link')?.durationSeconds[0] as number;
    };
    // 1,000 tokens x 131,072 bytes over 1 GB/s, after 10 microseconds.
    expect(of(0)).toBeCloseTo(0.131082, 6);
    expect(of(0.9)).toBeCloseTo(0.0131172, 6);
  });

  it('routers differ where replicas are uneven', () => {
    const rows: Row[] = Array.from({ length: 40 }, (_, i) => [i * 0.02, 200, 30, i % 2]);
    const lanesUsed = (router: object) => {
      const topology = { type: 'colocated', replicas: 4 };
      const result = run({ ...strategyOf('sarathi-serve'), router, topology }, rows);
      expectConservation(result, result.kvPlan.blocks);
      return new Set(result.requests.decodeLane).size;
    };
    expect(lanesUsed({ type: 'session-affine' })).toBeLessThanOrEqual(2);
    for (const type of [
      'round-robin',
      'least-outstanding',
      'least-tokens',
      'random',
      'power-of-two',
    ])
      expect(lanesUsed({ type })).toBeGreaterThan(2);
  });
});

describe('absurd configurations', () => {
  it('are told in one sentence', () => {
    const parts = { ...strategyOf('sarathi-serve'), preemption: { type: 'none' } };
    expect(() => run(parts, burst)).toThrow(
      /^invalid preemption: "none" with admission "watermark" and kvAlloc "paged" \(requests grow/,
    );
    const short = { ...strategyOf('orca'), kvAlloc: { type: 'contiguous-max', maxTokens: 64 } };
    const { metrics, notes } = run(short, burst);
    expect(metrics.refused).toBe(burst.filter(([, p, o]) => p + o - 1 > 64).length);
    expect(notes.join()).toMatch(/requests have more than 64 tokens and were refused on arrival/);
  });
});
