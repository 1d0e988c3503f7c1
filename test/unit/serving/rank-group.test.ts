import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulate } from '../../../lib/serving/core/simulation';
import type { BatchFeatures, CostModel, ServeResult } from '../../../lib/serving/types';
import { serveParams } from '../../../lib/spec/kinds/serve';
import type { Workload } from '../../../lib/workload/types';

/** Dyadic, so that sums are exact. */
const secondsOf = (f: BatchFeatures): number =>
  (64 + f.decodeCount + f.prefillTokens + Math.floor(f.decodeContextTokens / 16)) / 1024;
const alone: CostModel = {
  kind: 'roofline',
  label: 'test',
  source: 'test',
  iterationSeconds: secondsOf,
};
/** A pass is as long as its slowest rank, and an exchange for every rank beyond the first. */
const grouped: CostModel = {
  ...alone,
  groupIterationSeconds: (ranks) => Math.max(...ranks.map(secondsOf)) + (ranks.length - 1) / 64,
};

type Row = readonly [arrival: number, prompt: number, output: number];
function workloadOf(rows: readonly Row[]): Workload {
  return {
    arrivalSeconds: Float64Array.from(rows, ([arrival]) => arrival),
    promptTokens: Int32Array.from(rows, ([, prompt]) => prompt),
    outputTokens: Int32Array.from(rows, ([, , output]) => output),
    label: 'test',
    source: 'test',
    seed: 0,
    notes: [],
  } as Workload;
}

function run(
  rows: readonly Row[],
  strategy: Readonly<Record<string, unknown>>,
  costModel: CostModel = grouped,
  blocks = 40,
): ServeResult {
  const params = serveParams.parse({
    strategy: { type: 'vllm-v1', maxBatchedTokens: 32, maxSequences: 4, ...strategy },
    memory: { kvBlocks: blocks, blockTokens: 4 },
  });
  return simulate(params, workloadOf(rows), costModel);
}

const rows = fc
  .array(
    fc.tuple(
      fc.integer({ min: 0, max: 2048 }).map((ticks) => ticks / 1024),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 30 }),
    ),
    { minLength: 1, maxLength: 16 },
  )
  .map((drawn) => drawn.sort((a, b) => a[0] - b[0]));

describe('data-parallel ranks that share experts', () => {
  it('alone are an engine by itself, to the bit', () => {
    fc.assert(
      fc.property(rows, fc.boolean(), (load, asyncScheduling) => {
        const one = run(load, { sharedExperts: 'whole', asyncScheduling });
        const plain = run(load, { asyncScheduling }, alone);
        expect(one.requests.completedSeconds).toEqual(plain.requests.completedSeconds);
        expect(one.requests.firstTokenSeconds).toEqual(plain.requests.firstTokenSeconds);
        expect(one.lanes[0]?.startSeconds).toEqual(plain.lanes[0]?.startSeconds);
        expect(one.requests.restarts).toEqual(plain.requests.restarts);
      }),
      { numRuns: 200 },
    );
  });

  it('run every pass together, lose no token, and end every request', () => {
    const replicas = fc.integer({ min: 2, max: 4 });
    fc.assert(
      fc.property(rows, replicas, fc.boolean(), (load, ranks, asyncScheduling) => {
        const result = run(load, { replicas: ranks, sharedExperts: 'whole', asyncScheduling });
        expect(result.metrics.completed).toBe(load.length);
        const passes = new Map<number, number>();
        for (const lane of result.lanes) {
          let free = 0;
          lane.startSeconds.forEach((start, i) => {
            const duration = lane.durationSeconds[i] as number;
            expect(start).toBeGreaterThanOrEqual(free);
            free = start + duration;
            expect(passes.get(start) ?? duration).toBe(duration);
            passes.set(start, duration);
          });
        }
        // Passes of the group follow each other: none begins while another runs.
        let end = 0;
        for (const [start, duration] of [...passes].sort(([a], [b]) => a - b)) {
          expect(start).toBeGreaterThanOrEqual(end);
          end = start + duration;
        }
        const prompts = load.reduce((sum, [, prompt]) => sum + prompt, 0);
        const computed = result.lanes
          .flatMap((lane) => [...lane.prefillTokens, ...lane.decodeTokens])
          .reduce((a, b) => a + b, 0);
        const outputs = load.reduce((sum, [, , output]) => sum + output, 0);
        if (result.metrics.restarts === 0) {
          expect(computed).toBe(prompts + outputs - load.length);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('make the ranks without work wait for the one that has it', () => {
    // One prompt: the other rank runs along, and the exchange is paid.
    const result = run([[0, 8, 3]], { replicas: 2, sharedExperts: 'whole' });
    const first = (64 + 8) / 1024 + 1 / 64;
    expect(result.requests.firstTokenSeconds[0]).toBe(first);
    expect(result.lanes.map(({ startSeconds }) => startSeconds.length)).toEqual([3, 0]);
    // A long prompt on one rank holds up the decodes of the other.
    const held = run(
      [
        [0, 4, 4],
        [0, 32, 4],
      ],
      { replicas: 2, sharedExperts: 'whole' },
    );
    const free = run(
      [
        [0, 4, 4],
        [0, 32, 4],
      ],
      { replicas: 2 },
      alone,
    );
    expect(held.requests.completedSeconds[0]).toBeGreaterThan(
      free.requests.completedSeconds[0] as number,
    );
  });

  it('are refused where nothing prices their exchange, and for a model without experts', () => {
    expect(() => run([[0, 4, 4]], { replicas: 2, sharedExperts: 'whole' }, alone)).toThrow(
      'invalid sharedExperts: the cost model (test) prices no exchange of experts (expected operator tables with moe.csv)',
    );
    expect(() => run([[0, 4, 4]], { replicas: 2, sharedExperts: 'whole' }, grouped, 0)).toThrow(
      'invalid sharedExperts: Llama 3.1 8B has no experts (expected none)',
    );
  });
});
