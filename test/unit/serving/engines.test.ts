import { describe, expect, it } from 'vitest';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { workloadParams } from '../../../lib/spec/kinds/workload';
import { generateWorkload } from '../../../lib/workload/generate';

const parsed = workloadParams.parse({
  source: { type: 'generator', requests: 700, ratePerSecond: 9 },
  seed: 3,
});
if (parsed.source.type !== 'generator') throw new Error('expected a generator');
const workload = generateWorkload(parsed, parsed.source);

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
