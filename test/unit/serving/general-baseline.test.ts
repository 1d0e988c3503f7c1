import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkComposition } from '../../../lib/serving/compose/check-composition';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import type { ServeResult } from '../../../lib/serving/types';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { composedStrategy } from '../../../lib/spec/kinds/serve-parts';
import { alikeComposed, workloadOf, workloadRows } from './arbitrary-composed';
import { expectConservation } from './conservation';

const memory = fc.record({
  // Often so few that decoding runs short.
  kvBlocks: fc.oneof(fc.integer({ min: 4, max: 80 }), fc.integer({ min: 10, max: 30 })),
  watermark: fc.constantFrom(0, 0.01, 0.1),
  blockTokens: fc.constantFrom(1, 4, 16),
});

function expectEqual(fast: ServeResult, slow: ServeResult): void {
  expect(fast.metrics.iterations).toBe(slow.metrics.iterations);
  for (const column of ['restarts', 'refused', 'prefillLane', 'decodeLane'] as const)
    expect([...fast.requests[column]]).toEqual([...slow.requests[column]]);
  for (const column of [
    'firstScheduledSeconds',
    'firstTokenSeconds',
    'completedSeconds',
    'maxStallSeconds',
  ] as const) {
    fast.requests[column].forEach((value, i) => {
      const other = slow.requests[column][i] as number;
      // The fast engine settles a request's longest gap when it leaves.
      if (column === 'maxStallSeconds' && Number.isNaN(slow.requests.completedSeconds[i])) return;
      if (Number.isNaN(other)) expect(value).toBeNaN();
      else expect(Math.abs(value - other)).toBeLessThan(1e-9);
    });
  }
  expect(fast.lanes.length).toBe(slow.lanes.length);
  fast.lanes.forEach((lane, l) => {
    const other = slow.lanes[l];
    for (const column of [
      'kvBlocksUsed',
      'decodeTokens',
      'prefillTokens',
      'queueLength',
      'batchSize',
    ] as const)
      expect([...lane[column]]).toEqual([...(other?.[column] ?? [])]);
  });
  expect(fast.metrics.tbtSeconds.count).toBe(slow.metrics.tbtSeconds.count);
  if (slow.metrics.tbtSeconds.count > 0)
    expect(fast.metrics.tbtSeconds.p99).toBeCloseTo(slow.metrics.tbtSeconds.p99, 9);
  if (slow.metrics.iterations > 0)
    expect(fast.metrics.kvUse.mean).toBeCloseTo(slow.metrics.kvUse.mean, 9);
  expect(fast.notes).toEqual(slow.notes);
}

describe('the general engine without its own parts', () => {
  it('gives the results of the fast engine, which shares no code for state and time with it', () => {
    const seen = { restarts: 0, refused: 0, iterations: 0 };
    fc.assert(
      fc.property(
        alikeComposed,
        workloadRows,
        memory,
        fc.constantFrom(36_000, 36_000, 2),
        fc.constantFrom(1, 1, 2, 3),
        (strategy, rows, m, horizonSeconds, pipelineParallel) => {
          const params = serveParams.parse({
            strategy,
            memory: m,
            horizonSeconds,
            pipelineParallel,
          });
          const model = makeCostModel(params);
          const fast = simulate(params, workloadOf(rows), model);
          const slow = simulate(params, workloadOf(rows), model, { isGeneral: true });
          expectEqual(fast, slow);
          if (horizonSeconds > 2) expectConservation(slow, m.kvBlocks);
          seen.restarts += slow.metrics.restarts;
          seen.refused += slow.metrics.refused;
          seen.iterations += slow.metrics.iterations;
        },
      ),
      { numRuns: 300 },
    );
    expect(seen.restarts).toBeGreaterThan(0);
    expect(seen.refused).toBeGreaterThan(0);
    expect(seen.iterations).toBeGreaterThan(1000);
  });

  it('is not changed by a prefix index over prompts that have nothing in common', () => {
    fc.assert(
      fc.property(alikeComposed, workloadRows, memory, (strategy, rows, m) => {
        const prefixIndex = { type: 'block-hash' };
        const indexed = { ...strategy, prefixIndex };
        fc.pre(checkComposition(composedStrategy.parse(indexed)) === undefined);
        const params = serveParams.parse({ strategy, memory: m });
        const plain = simulate(params, workloadOf(rows), makeCostModel(params));
        // What is computed again finds its own blocks.
        fc.pre(plain.metrics.restarts === 0);
        const other = serveParams.parse({ strategy: indexed, memory: m });
        const found = simulate(other, workloadOf(rows), makeCostModel(other));
        expect(found.prefixCache?.hitTokens).toBe(0);
        expectEqual(plain, found);
      }),
      { numRuns: 150 },
    );
  });
});
