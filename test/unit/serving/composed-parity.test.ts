import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulate } from '../../../lib/serving/core/simulation';
import { kvBytesPerToken } from '../../../lib/serving/presets/kv-plan';
import { MODELS } from '../../../lib/serving/presets/models';
import type { CostModel } from '../../../lib/serving/types';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { singleReplica, workloadOf, workloadRows } from './arbitrary-composed';
import { type PlainEntry, runPlainComposed } from './plain-composed';

/** A time that depends on everything a batch is, and on the context in a straight line. */
const seconds = (decodes: number, context: number, prefills: number, tokens: number, sq: number) =>
  0.01 + decodes * 1e-4 + context * 1e-6 + prefills * 3e-4 + tokens * 2e-5 + sq * 1e-8;

const costModel: CostModel = {
  kind: 'fitted',
  label: 'test',
  source: 'test',
  iterationSeconds: (f) =>
    seconds(
      f.decodeCount,
      f.decodeContextTokens,
      f.prefillCount,
      f.prefillTokens,
      f.prefillTokensSquared,
    ),
  // Short straight pieces, so that runs end for this too.
  decodeRun: {
    iterations: ({ decodeContextTokens }) => 1 + (decodeContextTokens % 50),
    slopeSeconds: ({ decodeCount }) => decodeCount * 1e-6,
  },
};

function plainSeconds(batch: readonly PlainEntry[]): number {
  const decodes = batch.filter(({ request }) => request.prefilled);
  const prompts = batch.filter(({ request }) => !request.prefilled);
  const total = (list: readonly PlainEntry[], pick: (entry: PlainEntry) => number) =>
    list.reduce((sum, entry) => sum + pick(entry), 0);
  return seconds(
    decodes.length,
    total(decodes, ({ request }) => request.processed),
    prompts.length,
    total(prompts, ({ tokens }) => tokens),
    total(prompts, ({ tokens }) => tokens ** 2),
  );
}

/** Predictions are draws of the simulator's own; their order is covered by the laws. */
const exact = singleReplica.map((strategy) => {
  const { priority } = strategy;
  return 'predictionError' in priority
    ? { ...strategy, priority: { ...priority, predictionError: 0 } }
    : strategy;
});

/** Equal to 5e-10 s; what never happened is NaN in the columns and may be undefined in the plain run. */
function expectSame(actual: number | undefined, expected: number | undefined): void {
  if (Number.isNaN(expected ?? Number.NaN)) expect(actual).toBeNaN();
  else expect(actual).toBeCloseTo(expected as number, 9);
}

describe('composed strategies', () => {
  it('are equal to the plain rules, iteration by iteration', () => {
    const seen = { restarts: 0, iterations: 0, runs: 0 };
    fc.assert(
      fc.property(
        exact,
        workloadRows,
        fc.integer({ min: 8, max: 80 }),
        fc.constantFrom(0, 1, 3),
        fc.constantFrom(1, 4, 16),
        (strategy, rows, kvBlocks, watermark, blockTokens) => {
          const params = serveParams.parse({
            strategy,
            memory: {
              kvBlocks,
              blockTokens,
              watermark: watermark === 0 ? 0 : (watermark + 0.5) / kvBlocks,
            },
          });
          const all = simulate(params, workloadOf(rows), costModel);
          // What never fits is refused, which the plain rules do not do.
          const kept = rows.filter((_, i) => all.requests.refused[i] === 0);
          const { requests, lanes, metrics } = simulate(params, workloadOf(kept), costModel);
          const plain = runPlainComposed(kept, {
            strategy,
            blocks: kvBlocks,
            blockTokens,
            watermark,
            kvBytesPerToken: kvBytesPerToken(MODELS[params.model]),
            iterationSeconds: plainSeconds,
          });
          expect(metrics.iterations).toBe(plain.iterations);
          expect([...(lanes[0]?.kvBlocksUsed ?? [])]).toEqual(plain.blocksUsed);
          for (const each of plain.requests) {
            const { id } = each;
            expect(requests.restarts[id]).toBe(each.restarts);
            expectSame(requests.firstTokenSeconds[id], each.firstToken);
            expectSame(requests.completedSeconds[id], each.completed);
            expectSame(requests.maxStallSeconds[id], each.longestGap);
          }
          seen.restarts += metrics.restarts;
          seen.iterations += metrics.iterations;
        },
      ),
      { numRuns: 500 },
    );
    expect(seen.restarts).toBeGreaterThan(0);
    expect(seen.iterations).toBeGreaterThan(10_000);
  });
});
