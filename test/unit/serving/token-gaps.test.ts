import { describe, expect, test } from 'vitest';
import { poissonLoad } from '../../../lib/serving/checks/capacity';
import { clientLoad } from '../../../lib/serving/checks/deepspeed-fastgen';
import { largestAverage, tokenGaps } from '../../../lib/serving/checks/token-gaps';
import { createSimulation } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { serveParams } from '../../../lib/spec/kinds/serve';
import type { Workload } from '../../../lib/workload/types';

function simulated(load: Workload, strategy: object) {
  const params = serveParams.parse({ strategy: { type: 'composed', ...strategy } });
  const simulation = createSimulation(params, load, makeCostModel(params));
  while (simulation.advance(10_000));
  return simulation.result();
}

describe('gaps between the tokens of a request', () => {
  test('they sum to the time from its first to its last token, and hold its longest', () => {
    const load = poissonLoad(3, 60, 4, () => [700, 40]);
    const chunks = { batchFormer: { type: 'decode-first', tokenBudget: 256 } };
    for (const strategy of [{}, chunks, { partition: { type: 'static' } }]) {
      const result = simulated(load, strategy);
      const { firstTokenSeconds, completedSeconds, maxStallSeconds } = result.requests;
      tokenGaps(result).forEach((gaps, id) => {
        const sum = gaps.reduce((a, b) => a + b, 0);
        const whole = (completedSeconds[id] as number) - (firstTokenSeconds[id] as number);
        expect(gaps).toHaveLength(39);
        expect(sum).toBeCloseTo(whole, 9);
        expect(Math.max(...gaps)).toBeCloseTo(maxStallSeconds[id] as number, 9);
      });
    }
  });

  test('two lanes that decode are refused', () => {
    const load = poissonLoad(3, 20, 4, () => [700, 40]);
    const result = simulated(load, { topology: { type: 'colocated', replicas: 2 } });
    expect(() => tokenGaps(result)).toThrow('invalid lanes that decode: 2 (expected 1)');
  });

  test('the average weighs a gap by (1 - 2 / (span + 1))^age', () => {
    expect(largestAverage([2, 2, 2], 16)).toBeCloseTo(2, 12);
    // alpha 0.5: 1, then (3 + 0.5) / 1.5, then (0 + 1.5 + 0.25) / 1.75.
    expect(largestAverage([1, 3, 0], 3)).toBeCloseTo(3.5 / 1.5, 12);
    expect(largestAverage([], 16)).toBe(0);
  });

  test('a client sends its next request when the last is answered', () => {
    const { requests } = simulated(clientLoad(1, 3), {});
    for (let id = 3; id < 24; id++)
      expect(requests.arrivalSeconds[id]).toBe(requests.completedSeconds[id - 3]);
  });
});
