import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import type { CostModel } from '../../../lib/serving/types';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { anyComposed, workloadOf, workloadRows } from './arbitrary-composed';
import { expectConservation } from './conservation';

const memory = fc.record({
  kvBlocks: fc.integer({ min: 4, max: 80 }),
  watermark: fc.constantFrom(0, 0.01, 0.1),
  blockTokens: fc.constantFrom(1, 4, 16),
});

/** The same times without `decodeRun`: every iteration is asked for and taken alone. */
const stepwise = ({ decodeRun: _, ...model }: CostModel): CostModel => model;

describe('any composed strategy', () => {
  it('loses no request, token or block, and time never goes back', () => {
    const seen = { restarts: 0, refused: 0 };
    fc.assert(
      fc.property(anyComposed, workloadRows, memory, (strategy, rows, m) => {
        const params = serveParams.parse({ strategy, memory: m });
        const result = simulate(params, workloadOf(rows), makeCostModel(params));
        expectConservation(result, m.kvBlocks);
        seen.restarts += result.metrics.restarts;
        seen.refused += result.metrics.refused;
      }),
      { numRuns: 500 },
    );
    expect(seen.restarts).toBeGreaterThan(0);
    expect(seen.refused).toBeGreaterThan(0);
  });

  it('takes runs of iterations in one step to the same times as one by one', () => {
    let jumped = 0;
    fc.assert(
      fc.property(anyComposed, workloadRows, memory, (strategy, rows, m) => {
        const params = serveParams.parse({ strategy, memory: m });
        const model = makeCostModel(params);
        const fast = simulate(params, workloadOf(rows), model);
        const slow = simulate(params, workloadOf(rows), stepwise(model));
        expect(fast.metrics.iterations).toBe(slow.metrics.iterations);
        expect([...fast.requests.restarts]).toEqual([...slow.requests.restarts]);
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
        fast.lanes.forEach((lane, l) => {
          const other = slow.lanes[l];
          expect([...lane.kvBlocksUsed]).toEqual([...(other?.kvBlocksUsed ?? [])]);
          expect([...lane.decodeTokens]).toEqual([...(other?.decodeTokens ?? [])]);
          expect([...lane.queueLength]).toEqual([...(other?.queueLength ?? [])]);
        });
        if (slow.metrics.tbtSeconds.count > 0)
          expect(fast.metrics.tbtSeconds.p99).toBeCloseTo(slow.metrics.tbtSeconds.p99, 9);
        if (slow.metrics.iterations > 0)
          expect(fast.metrics.kvUse.mean).toBeCloseTo(slow.metrics.kvUse.mean, 9);
        jumped += fast.metrics.iterations;
      }),
      { numRuns: 300 },
    );
    expect(jumped).toBeGreaterThan(10_000);
  });

  it('gives the same bits again', () => {
    fc.assert(
      fc.property(anyComposed, workloadRows, memory, (strategy, rows, m) => {
        const params = serveParams.parse({ strategy, memory: m });
        const run = () => simulate(params, workloadOf(rows), makeCostModel(params));
        const { wallSeconds: _, ...first } = run();
        const { wallSeconds: __, ...again } = run();
        expect(again).toEqual(first);
      }),
      { numRuns: 50 },
    );
  });
});
