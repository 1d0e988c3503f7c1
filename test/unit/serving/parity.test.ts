import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulate } from '../../../lib/serving/core/simulation';
import type { CostModel } from '../../../lib/serving/types';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { type PlainBatch, runPlainScheduler } from './plain-scheduler';

/** Some time that depends on everything a batch is, so that any other batch shows. */
const seconds = (
  decodes: number,
  context: number,
  prefills: number,
  tokens: number,
  squared: number,
) => 0.01 + decodes * 1e-4 + context * 1e-6 + prefills * 3e-4 + tokens * 2e-5 + squared * 1e-8;

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
};
function plainSeconds(batch: readonly PlainBatch[]): number {
  const sum = (pick: (entry: PlainBatch) => number) =>
    batch.reduce((total, entry) => total + pick(entry), 0);
  const isDecode = ({ request }: PlainBatch) => request.prefilled;
  return seconds(
    sum((e) => (isDecode(e) ? 1 : 0)),
    sum((e) => (isDecode(e) ? e.request.processed : 0)),
    sum((e) => (isDecode(e) ? 0 : 1)),
    sum((e) => (isDecode(e) ? 0 : e.tokens)),
    sum((e) => (isDecode(e) ? 0 : e.tokens ** 2)),
  );
}

const rows = fc.array(
  fc.tuple(
    fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1.5, noNaN: true })),
    fc.integer({ min: 1, max: 90 }),
    fc.integer({ min: 1, max: 40 }),
  ),
  { minLength: 1, maxLength: 25 },
);

describe('scheduler parity', () => {
  it.each(['vllm', 'sarathi'] as const)(
    '%s: the same times and restarts as the plain rules, under preemption too',
    (scheduler) => {
      let restarts = 0;
      fc.assert(
        fc.property(
          rows,
          // Enough for the largest request alone (130 tokens and one free block), little enough to preempt.
          fc.integer({ min: 11, max: 40 }),
          fc.constantFrom(0, 1, 2),
          fc.integer({ min: 2, max: 16 }),
          fc.integer({ min: 1, max: 64 }),
          (list, blocks, watermark, cap, chunk) => {
            const sorted = [...list].sort((a, b) => a[0] - b[0]);
            const strategy =
              scheduler === 'vllm'
                ? { type: 'vllm', maxBatchedTokens: 256, maxSequences: cap }
                : { type: 'sarathi', tokenBudget: chunk, maxSequences: cap };
            const params = serveParams.parse({
              strategy,
              memory: {
                kvBlocks: blocks,
                blockTokens: 16,
                watermark: watermark === 0 ? 0 : (watermark + 0.5) / blocks,
              },
              horizonSeconds: 1e7,
            });
            const expected = runPlainScheduler(sorted, {
              scheduler,
              blocks,
              blockTokens: 16,
              watermark,
              cap,
              maxBatchedTokens: 256,
              chunk,
              iterationSeconds: plainSeconds,
            });
            const workload = {
              arrivalSeconds: Float64Array.from(sorted, (row) => row[0]),
              promptTokens: Int32Array.from(sorted, (row) => row[1]),
              outputTokens: Int32Array.from(sorted, (row) => row[2]),
              label: 'test',
              source: 'test',
              seed: 0,
              notes: [],
            };
            const { requests, metrics } = simulate(params, workload, costModel, { parity: true });
            expect(metrics.iterations).toBe(expected.iterations);
            for (const request of expected.requests) {
              expect(requests.restarts[request.id]).toBe(request.restarts);
              expect(requests.firstTokenSeconds[request.id]).toBeCloseTo(
                request.firstToken ?? Number.NaN,
                10,
              );
              expect(requests.completedSeconds[request.id]).toBeCloseTo(
                request.completed ?? Number.NaN,
                10,
              );
            }
            restarts += metrics.restarts;
          },
        ),
        { numRuns: 400 },
      );
      expect(restarts).toBeGreaterThan(100);
    },
  );
});
