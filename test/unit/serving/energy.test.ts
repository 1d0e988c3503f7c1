import { describe, expect, test } from 'vitest';
import { offlineWorkload } from '../../../lib/serving/checks/run-parts';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { runJoules } from '../../../lib/serving/energy';
import { planRun } from '../../../lib/serving/plan/measure';
import { sharedWork } from '../../../lib/serving/shared-work';
import { serveParams } from '../../../lib/spec/kinds/serve';

const run = (given: object, requests = 40) => {
  const params = serveParams.parse(given);
  return simulate(params, offlineWorkload(requests, 500, 100), makeCostModel(params));
};

describe('energy of a run', () => {
  test('draws idle power always, and the rest while busy', () => {
    const at = (busySeconds: number) =>
      runJoules({ seconds: 2, busySeconds }, { boardWatts: 400 }, 0.25);
    expect(at(0)).toBe(200);
    expect(at(1)).toBe(400 * (0.5 + 0.75));
    expect(at(2)).toBe(800);
  });

  test('two phases on one accelerator draw no more than it does', () => {
    const lane = (
      starts: readonly number[],
      lasts: readonly number[],
      busy: readonly number[],
    ) => ({
      lane: { startSeconds: Float64Array.from(starts), durationSeconds: Float64Array.from(lasts) },
      busySeconds: Float64Array.from(busy),
    });
    // From 0 to 2 the first alone at a half, to 4 both (full), to 6 the second alone at 0.75.
    expect(sharedWork(lane([0], [4], [2]), lane([2], [4], [3]))).toBeCloseTo(1 + 2 + 1.5, 12);
    expect(sharedWork(lane([], [], []), lane([1, 5], [2, 0], [1, 0]))).toBe(1);
    const partition = { type: 'static', prefillShare: 0.7, decodeShare: 0.7 };
    const { metrics } = run({ strategy: { type: 'composed', partition } }, 200);
    expect(metrics.energyJoules).toBeLessThanOrEqual(400 * metrics.makespanSeconds);
    expect(metrics.energyJoules).toBeGreaterThan(0.3 * 400 * metrics.makespanSeconds);
  });

  test('stays within the powers of the data sheet, and counts every accelerator', () => {
    for (const tensorParallel of [1, 2]) {
      const { metrics } = run({ tensorParallel });
      const most = metrics.makespanSeconds * 400 * tensorParallel;
      expect(metrics.energyJoules).toBeLessThan(most);
      expect(metrics.energyJoules).toBeGreaterThan(0.15 * most);
      expect(metrics.joulesPerToken).toBeCloseTo((metrics.energyJoules ?? 0) / 4000, 9);
    }
  });

  test('an idle replica draws its share, and all strategies have the figures', () => {
    for (const type of ['vllm', 'vllm-v1', 'sarathi', 'distserve'])
      expect(run({ strategy: { type } }).metrics.energyJoules).toBeGreaterThan(0);
    const one = run({ strategy: { type: 'sarathi', replicas: 1 } }, 1).metrics;
    const two = run({ strategy: { type: 'sarathi', replicas: 2 } }, 1).metrics;
    expect((two.energyJoules ?? 0) - (one.energyJoules ?? 0)).toBeCloseTo(
      0.15 * 400 * one.makespanSeconds,
      6,
    );
  });

  test('pools may say their degrees, or have those of the cell', () => {
    const pools = (given: object, degrees: object) =>
      run({ strategy: { type: 'composed', topology: { type: 'pools', ...degrees } }, ...given });
    const said = pools({}, { prefillTensorParallel: 2, decodeTensorParallel: 2 });
    const taken = pools({ tensorParallel: 2 }, {});
    // The cost model of the cell is one for both pools here, so only the power may differ.
    expect(said.accelerators).toBe(taken.accelerators);
    const meanWatts = ({ metrics }: typeof said) =>
      (metrics.energyJoules ?? 0) / metrics.makespanSeconds / 4;
    for (const each of [said, taken]) {
      expect(meanWatts(each)).toBeGreaterThan(0.15 * 400);
      expect(meanWatts(each)).toBeLessThan(400);
    }
    const unlike = pools({}, { prefillTensorParallel: 2, decodeTensorParallel: 4 });
    const alike = pools({}, { prefillTensorParallel: 2, decodeTensorParallel: 2 });
    expect(unlike.metrics.energyJoules ?? 0).toBeGreaterThan(alike.metrics.energyJoules ?? 0);
    expect(
      pools({ tensorParallel: 2 }, { prefillTensorParallel: 2, decodeTensorParallel: 2 }).metrics
        .energyJoules,
    ).toBe(taken.metrics.energyJoules);
  });

  test('a plan search tells work from waiting as the run does', () => {
    for (const strategy of [{ type: 'sarathi', replicas: 2 }, { type: 'distserve' }]) {
      const params = serveParams.parse({ strategy });
      const result = simulate(params, offlineWorkload(40, 500, 100), makeCostModel(params));
      const { workSeconds, busySeconds } = planRun(params, result);
      const { energyJoules, makespanSeconds } = result.metrics;
      const idle = 0.15 * result.accelerators * makespanSeconds;
      expect(400 * (idle + 0.85 * workSeconds)).toBeCloseTo(energyJoules ?? 0, 6);
      expect(workSeconds).toBeLessThanOrEqual(busySeconds);
      expect(workSeconds).toBeGreaterThan(0.2 * busySeconds);
    }
  });

  test('batching saves energy a token, and so do smaller weights', () => {
    const perToken = (given: object, requests: number) =>
      run(given, requests).metrics.joulesPerToken;
    expect(perToken({}, 64)).toBeLessThan((perToken({}, 1) ?? 0) / 5);
    const int4 = { transform: { type: 'preset', preset: 'finequant-int4' } };
    expect(perToken(int4, 4)).toBeLessThan((perToken({}, 4) ?? 0) / 2);
  });

  test('cost follows the price, and without one there is none', () => {
    expect(run({}).metrics.costPerMillionTokens).toBeUndefined();
    const { metrics } = run({ tensorParallel: 2, energy: { pricePerAcceleratorHour: 3 } });
    const hours = (2 * metrics.makespanSeconds) / 3600;
    expect(metrics.costPerMillionTokens).toBeCloseTo((3 * hours * 1e6) / 4000, 9);
  });
});
