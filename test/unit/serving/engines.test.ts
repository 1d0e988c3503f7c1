import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import type { ServeResult } from '../../../lib/serving/types';
import { type ServeParams, serveParams } from '../../../lib/spec/kinds/serve';
import { workloadParams } from '../../../lib/spec/kinds/workload';
import { generateWorkload } from '../../../lib/workload/generate';
import type { Workload } from '../../../lib/workload/types';
import { workloadOf, workloadRows } from './arbitrary-composed';

const parsed = workloadParams.parse({
  source: { type: 'generator', requests: 700, ratePerSecond: 9 },
  seed: 3,
});
if (parsed.source.type !== 'generator') throw new Error('expected a generator');
const workload = generateWorkload(parsed, parsed.source);

const int = (min: number, max: number) => fc.integer({ min, max });
const distserveCells = fc
  .record({
    strategy: fc.record({
      type: fc.constant('distserve' as const),
      prefillReplicas: int(1, 2),
      decodeReplicas: int(1, 3),
      maxPrefillTokens: int(1, 400),
      maxPrefillSequences: int(1, 8),
      maxDecodeSequences: int(1, 20),
      pullThreshold: fc.constantFrom(0, 0.05, 0.2, 0.5, 1),
      linkGigabytesPerSecond: fc.constantFrom(0.01, 1, 100),
    }),
    memory: fc.record({
      kvBlocks: int(4, 60),
      watermark: fc.constantFrom(0, 0.01, 0.1),
      blockTokens: fc.constantFrom(1, 4, 16),
    }),
  })
  .map((each) => serveParams.parse(each));

const CASES = [
  ['plenty of memory', {}, 'roofline', 'llama-3.1-8b'],
  ['short memory', { kvBlocks: 1200 }, 'roofline', 'llama-3.1-8b'],
  ['fitted times', { kvBlocks: 2000 }, 'fitted', 'opt-13b'],
] as const;

describe.each(['vllm', 'sarathi'] as const)('%s on both engines', (type) => {
  it.each(CASES)('%s: equal times, percentiles and timeline', (name, memory, cost, model) => {
    const params = serveParams.parse({
      model,
      strategy: { type, replicas: 2 },
      memory,
      costModel: { type: cost },
    });
    const costModel = makeCostModel(params);
    const fast = simulate(params, workload, costModel);
    const slow = simulate(params, workload, costModel, { isStepped: true });
    expect(fast.metrics.iterations).toBe(slow.metrics.iterations);
    expect(fast.metrics.restarts).toBe(slow.metrics.restarts);
    if (name === 'short memory') expect(fast.metrics.restarts).toBeGreaterThan(20);
    for (const column of [
      'firstScheduledSeconds',
      'firstTokenSeconds',
      'completedSeconds',
      'maxStallSeconds',
    ] as const) {
      const off = fast.requests[column].map((each, i) =>
        Math.abs(each - (slow.requests[column][i] as number)),
      );
      expect(Math.max(...off)).toBeLessThan(1e-9);
    }
    for (const metric of ['tbtSeconds', 'ttftSeconds', 'tpotSeconds', 'e2eSeconds'] as const) {
      for (const each of ['mean', 'p50', 'p90', 'p99', 'max', 'count'] as const)
        expect(fast.metrics[metric][each]).toBeCloseTo(slow.metrics[metric][each], 8);
    }
    expect(fast.metrics.kvUse.mean).toBeCloseTo(slow.metrics.kvUse.mean, 9);
    expect(fast.metrics.busyFraction).toBeCloseTo(slow.metrics.busyFraction, 9);
    fast.lanes.forEach((lane, l) => {
      const other = slow.lanes[l];
      for (const column of ['decodeTokens', 'batchSize', 'queueLength', 'kvBlocksUsed'] as const)
        expect(lane[column]).toEqual(other?.[column]);
    });
  });

  it('stops both at the horizon with the iteration under way in the log', () => {
    const params = serveParams.parse({ strategy: { type }, horizonSeconds: 20 });
    const costModel = makeCostModel(params);
    const fast = simulate(params, workload, costModel);
    const slow = simulate(params, workload, costModel, { isStepped: true });
    expect(fast.metrics.unfinished).toBeGreaterThan(0);
    expect(fast.metrics.unfinished).toBe(slow.metrics.unfinished);
    expect(fast.metrics.iterations).toBe(slow.metrics.iterations);
    expect(fast.metrics.makespanSeconds).toBeCloseTo(slow.metrics.makespanSeconds, 9);
  });
});

const POOL_MEMORIES = [
  ['plenty of memory', {}, 0.05],
  ['short memory', { kvBlocks: 700 }, 0.3],
  ['a low threshold', { kvBlocks: 2500 }, 0.02],
] as const;

describe('distserve on both engines', () => {
  it('a request that was preempted on one replica does not end with the steps of another', () => {
    const strategy = {
      type: 'distserve',
      prefillReplicas: 2,
      decodeReplicas: 2,
      maxPrefillTokens: 73,
      maxPrefillSequences: 2,
      maxDecodeSequences: 2,
      pullThreshold: 0,
      linkGigabytesPerSecond: 100,
    };
    const memory = { blockTokens: 4, watermark: 0, kvBlocks: 56 };
    const rows = [45, 2, 57, 58, 1].map(
      (output, i) => [0, [1, 1, 72, 60, 1][i] as number, output, 0] as const,
    );
    const { metrics } = expectEqualRuns(serveParams.parse({ strategy, memory }), workloadOf(rows));
    expect(metrics.restarts).toBe(1);
  });

  it.each(POOL_MEMORIES)('%s: equal times and counts', (name, memory, pullThreshold) => {
    const strategy = {
      type: 'distserve',
      prefillReplicas: 2,
      decodeReplicas: 2,
      maxDecodeSequences: name === 'a low threshold' ? 12 : 128,
      pullThreshold,
    };
    expectEqualRuns(serveParams.parse({ strategy, memory }), workload, name === 'short memory');
  });

  it('over random sizes, thresholds, memories and loads', () => {
    let restarts = 0;
    let refused = 0;
    fc.assert(
      fc.property(distserveCells, workloadRows, (params, rows) => {
        const { metrics } = expectEqualRuns(params, workloadOf(rows));
        restarts += metrics.restarts;
        refused += metrics.refused;
      }),
      { numRuns: 400 },
    );
    expect(restarts).toBeGreaterThan(20);
    expect(refused).toBeGreaterThan(20);
  });
});

function expectEqualRuns(params: ServeParams, load: Workload, mustRestart = false): ServeResult {
  const costModel = makeCostModel(params);
  const fast = simulate(params, load, costModel);
  const slow = simulate(params, load, costModel, { isStepped: true });
  expect(fast.metrics.iterations).toBe(slow.metrics.iterations);
  expect(fast.metrics.restarts).toBe(slow.metrics.restarts);
  expect(fast.metrics.refused).toBe(slow.metrics.refused);
  if (mustRestart) expect(fast.metrics.restarts).toBeGreaterThan(20);
  for (const column of [
    'firstScheduledSeconds',
    'firstTokenSeconds',
    'completedSeconds',
    'maxStallSeconds',
  ] as const) {
    fast.requests[column].forEach((value, i) => {
      const other = slow.requests[column][i] as number;
      if (Number.isNaN(other)) expect(value).toBeNaN();
      else expect(Math.abs(value - other)).toBeLessThan(1e-9);
    });
  }
  for (const lane of fast.lanes) {
    const other = slow.lanes.find(({ id }) => id === lane.id);
    for (const column of ['decodeTokens', 'batchSize', 'queueLength', 'kvBlocksUsed'] as const)
      if (lane.role !== 'link') expect(lane[column]).toEqual(other?.[column]);
    expect(lane.startSeconds.length).toBe(other?.startSeconds.length);
  }
  if (slow.metrics.tbtSeconds.count > 0)
    expect(fast.metrics.tbtSeconds.p99).toBeCloseTo(slow.metrics.tbtSeconds.p99, 8);
  return fast;
}
