import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSimulation, simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import type { ServeResult } from '../../../lib/serving/types';
import { type ServeParams, serveParams } from '../../../lib/spec/kinds/serve';
import type { Workload } from '../../../lib/workload/types';

function workloadOf(rows: readonly (readonly [number, number, number])[]): Workload {
  const sorted = [...rows].sort((a, b) => a[0] - b[0]);
  return {
    arrivalSeconds: Float64Array.from(sorted, (row) => row[0]),
    promptTokens: Int32Array.from(sorted, (row) => row[1]),
    outputTokens: Int32Array.from(sorted, (row) => row[2]),
    label: 'test',
    source: 'test',
    seed: 0,
    notes: [],
  };
}

const strategies = fc.oneof(
  fc.record({
    type: fc.constant('vllm' as const),
    replicas: fc.integer({ min: 1, max: 3 }),
    maxBatchedTokens: fc.integer({ min: 1, max: 400 }),
    maxSequences: fc.integer({ min: 1, max: 20 }),
  }),
  fc.record({
    type: fc.constant('sarathi' as const),
    replicas: fc.integer({ min: 1, max: 3 }),
    tokenBudget: fc.integer({ min: 1, max: 200 }),
    maxSequences: fc.integer({ min: 1, max: 20 }),
  }),
  fc.record({
    type: fc.constant('distserve' as const),
    prefillReplicas: fc.integer({ min: 1, max: 2 }),
    decodeReplicas: fc.integer({ min: 1, max: 3 }),
    maxPrefillTokens: fc.integer({ min: 1, max: 400 }),
    maxPrefillSequences: fc.integer({ min: 1, max: 8 }),
    maxDecodeSequences: fc.integer({ min: 1, max: 20 }),
    pullThreshold: fc.constantFrom(0, 0.05, 0.5, 1),
    linkGigabytesPerSecond: fc.constantFrom(0.01, 1, 100),
  }),
);
const rows = fc.array(
  fc.tuple(
    fc.double({ min: 0, max: 3, noNaN: true }),
    fc.integer({ min: 1, max: 200 }),
    fc.integer({ min: 1, max: 60 }),
  ),
  { minLength: 1, maxLength: 40 },
);
const params: fc.Arbitrary<ServeParams> = fc
  .record({
    strategy: strategies,
    kvBlocks: fc.integer({ min: 4, max: 60 }),
    watermark: fc.constantFrom(0, 0.01, 0.1),
  })
  .map(({ strategy, kvBlocks, watermark }) =>
    serveParams.parse({ strategy, memory: { kvBlocks, watermark } }),
  );

function expectConservation(result: ServeResult, p: ServeParams): void {
  const { requests, lanes, metrics } = result;
  const n = requests.arrivalSeconds.length;
  expect(metrics.completed + metrics.refused).toBe(n);
  expect(metrics.unfinished).toBe(0);
  let emitted = 0;
  for (let i = 0; i < n; i++) {
    if (requests.refused[i] === 1) {
      expect(requests.completedSeconds[i]).toBeNaN();
      continue;
    }
    const times = [
      requests.arrivalSeconds[i],
      requests.firstScheduledSeconds[i],
      requests.firstTokenSeconds[i],
      requests.completedSeconds[i],
    ] as number[];
    expect(times).toEqual([...times].sort((a, b) => a - b));
    emitted += requests.outputTokens[i] as number;
  }
  // Every output token after a request's first is one gap.
  expect(metrics.tbtSeconds.count).toBe(emitted - metrics.completed);
  for (const lane of lanes) {
    for (let i = 0; i < lane.startSeconds.length; i++) {
      const start = lane.startSeconds[i] as number;
      expect(lane.durationSeconds[i]).toBeGreaterThan(0);
      if (i > 0) {
        const end = (lane.startSeconds[i - 1] as number) + (lane.durationSeconds[i - 1] as number);
        expect(start).toBeGreaterThanOrEqual(end - 1e-12);
      }
      if (lane.role === 'link') continue;
      expect(lane.kvBlocksUsed[i]).toBeLessThanOrEqual(p.memory.kvBlocks);
      expect(lane.kvBlocksUsed[i]).toBeGreaterThan(0);
    }
  }
  if (metrics.restarts > 0) return;
  const sum = (key: 'prefillTokens' | 'decodeTokens') =>
    lanes
      .filter((lane) => lane.role !== 'link')
      .reduce((total, lane) => total + lane[key].reduce((a, b) => a + b, 0), 0);
  const prompts = requests.promptTokens.reduce(
    (a, b, i) => a + (requests.refused[i] === 1 ? 0 : b),
    0,
  );
  expect(sum('prefillTokens')).toBe(prompts);
  expect(sum('decodeTokens')).toBe(emitted - metrics.completed);
}

describe('simulation', () => {
  it('conserves requests, tokens and KV blocks under every strategy and any memory', () => {
    fc.assert(
      fc.property(params, rows, (p, list) => {
        expectConservation(simulate(p, workloadOf(list), makeCostModel(p)), p);
      }),
      { numRuns: 400 },
    );
  });

  it('does preempt in those runs, so that the law is tested under recompute', () => {
    const list = Array.from({ length: 12 }, (_, i) => [0.01 * i, 60, 50] as const);
    for (const strategy of [
      { type: 'vllm' },
      { type: 'sarathi', tokenBudget: 64 },
      { type: 'distserve' },
    ]) {
      const p = serveParams.parse({ strategy, memory: { kvBlocks: 24, watermark: 0 } });
      const result = simulate(p, workloadOf(list), makeCostModel(p));
      expect(result.metrics.restarts).toBeGreaterThan(0);
      expectConservation(result, p);
    }
  });

  it('gives the same bits in slices as in one go', () => {
    const list = Array.from({ length: 30 }, (_, i) => [0.05 * i, 100 + i, 20] as const);
    const p = serveParams.parse({ strategy: { type: 'sarathi' } });
    const whole = simulate(p, workloadOf(list), makeCostModel(p));
    const sliced = createSimulation(p, workloadOf(list), makeCostModel(p));
    while (sliced.advance(7));
    expect(sliced.result().requests).toEqual(whole.requests);
    expect(sliced.result().lanes).toEqual(whole.lanes);
  });

  it('refuses a request that can never fit, says so, and runs the others', () => {
    const p = serveParams.parse({ memory: { kvBlocks: 10, watermark: 0 } });
    const result = simulate(
      p,
      workloadOf([
        [0, 500, 10],
        [0, 20, 10],
      ]),
      makeCostModel(p),
    );
    expect([...result.requests.refused]).toEqual([1, 0]);
    expect(result.metrics.sloAttainment).toBe(0.5);
    expect(result.notes).toEqual([
      '1 requests can never fit in 10 KV blocks and were refused on arrival',
    ]);
  });

  it('counts what is unfinished at the horizon as violations', () => {
    const list = Array.from({ length: 50 }, () => [0, 1000, 1000] as const);
    const p = serveParams.parse({ horizonSeconds: 2 });
    const { metrics } = simulate(p, workloadOf(list), makeCostModel(p));
    expect(metrics.unfinished).toBe(50);
    expect(metrics.sloAttainment).toBe(0);
    expect(metrics.goodputPerSecond).toBe(0);
  });

  it('flags overload as unstable and light load not, at several seeds of arrivals', () => {
    for (const step of [0.001, 0.0013, 0.0017]) {
      const run = (gap: number) => {
        const list = Array.from(
          { length: 800 },
          (_, i) => [i * gap + step * (i % 7), 512, 64] as const,
        );
        const p = serveParams.parse({});
        return simulate(p, workloadOf(list), makeCostModel(p)).metrics;
      };
      expect(run(0.005).unstableReason).toMatch(/grows without bound/);
      expect(run(0.3).unstable).toBe(false);
    }
  });

  it('says that a model does not fit', () => {
    const p = serveParams.parse({ model: 'llama-3.1-70b', hardware: 'a100-80g' });
    expect(() => simulate(p, workloadOf([[0, 1, 1]]), makeCostModel(p))).toThrow(
      /^Llama 3.1 70B does not fit: weights need 131\.4 GiB per accelerator, above 72\.0 GiB/,
    );
  });
});

describe('disaggregation', () => {
  it('waits for the link: a slower one delays the second token, not the first', () => {
    const run = (linkGigabytesPerSecond: number) => {
      const p = serveParams.parse({
        strategy: { type: 'distserve', linkGigabytesPerSecond, linkLatencyMicroseconds: 0 },
      });
      return simulate(p, workloadOf([[0, 1000, 2]]), makeCostModel(p)).requests;
    };
    const fast = run(10_000);
    const slow = run(1);
    expect(slow.firstTokenSeconds[0]).toBe(fast.firstTokenSeconds[0]);
    // 1,000 tokens x 131,072 bytes over 1 GB/s.
    const delay = (slow.completedSeconds[0] as number) - (fast.completedSeconds[0] as number);
    expect(delay).toBeCloseTo(0.131072, 4);
  });

  it('queues transfers on one link', () => {
    const p = serveParams.parse({
      strategy: {
        type: 'distserve',
        linkGigabytesPerSecond: 1,
        linkLatencyMicroseconds: 0,
        pullThreshold: 1,
      },
    });
    const result = simulate(
      p,
      workloadOf([
        [0, 1000, 4],
        [0, 1000, 4],
      ]),
      makeCostModel(p),
    );
    const link = result.lanes.find((lane) => lane.role === 'link');
    expect(link?.startSeconds.length).toBe(2);
    expect((link?.startSeconds[1] ?? 0) - (link?.startSeconds[0] ?? 0)).toBeCloseTo(0.131072, 6);
  });
});
