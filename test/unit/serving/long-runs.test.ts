import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyFeatures } from '../../../lib/serving/core/features';
import { simulate } from '../../../lib/serving/core/simulation';
import { fittedCostModel } from '../../../lib/serving/cost/fitted';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { rooflineCostModel } from '../../../lib/serving/cost/roofline';
import { vidurTablesCostModel } from '../../../lib/serving/cost/vidur-tables';
import { createCalendar } from '../../../lib/serving/engine/calendar';
import { createGapRuns } from '../../../lib/serving/engine/gap-runs';
import { endedBefore, runSeconds } from '../../../lib/serving/engine/run-length';
import { createStallStack } from '../../../lib/serving/engine/stall-stack';
import { HARDWARE } from '../../../lib/serving/presets/hardware';
import { MODELS } from '../../../lib/serving/presets/models';
import type { CostModel } from '../../../lib/serving/types';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { summarizeWeighted } from '../../../lib/stats/percentiles';
import { sortWeighted } from '../../../lib/stats/sort-weighted';
import { workloadOf } from './arbitrary-composed';

const linear = (milliseconds: number) => ({
  step: 8,
  first: 8,
  ms: Array.from({ length: 64 }, (_, i) => milliseconds * (1 + i)),
});
const OPERATORS = [
  'attn_pre_proj',
  'attn_post_proj',
  'attn_rope',
  'input_layernorm',
  'mlp_up_proj',
  'mlp_down_proj',
  'mlp_act',
  'post_attention_layernorm',
  'add',
];
const tables = vidurTablesCostModel({
  profile: 'made up',
  num_layers: 2,
  tp: 1,
  nccl_add_ms: 0,
  decode_batching_overhead: 0.1,
  prefill_batching_overhead: 0.1,
  linear: {
    ...Object.fromEntries(OPERATORS.map((name, i) => [name, linear(0.01 + i / 1000)])),
    attn_kv_cache_save: {
      step: 1,
      first: 1,
      ms: Array.from({ length: 512 }, (_, i) => 0.001 * i),
    },
  },
  attn_decode: {
    kv: [],
    batch_max: 64,
    ms: Array.from({ length: 64 }, (_, b) =>
      Array.from({ length: 65 }, (__, kv) => 0.01 * (b + 1) + 0.002 * kv),
    ),
  },
  attn_prefill: { kv: [], chunk_max: 1, ms: [[1]] },
});

/** A model whose decode attention turns from one bound to the other within reach. */
const crossing = rooflineCostModel(
  { ...MODELS['llama-3.1-8b'], kvHeads: 1 },
  { ...HARDWARE['a100-80g'], peakFlopsPerSecond: 2e13 },
  {
    tensorParallel: 1,
    computeEfficiency: 0.5,
    bandwidthEfficiency: 1,
    overheadMicroseconds: 5,
  },
);
const MODELS_WITH_RUNS: readonly (readonly [string, CostModel])[] = [
  ['roofline', makeCostModel(serveParams.parse({}))],
  ['roofline that changes its bound', crossing],
  ['fitted', fittedCostModel('opt-13b', 'a100-80g', 1)],
  ['tables', tables],
];

describe('decodeRun', () => {
  it.each(MODELS_WITH_RUNS)('%s: is the straight line that iterationSeconds gives', (_, model) => {
    let inside = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 64 }),
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 1, max: 400 }),
        (decodeCount, context, within) => {
          const features = {
            ...emptyFeatures(),
            decodeCount,
            decodeContextTokens: decodeCount * context + (context % decodeCount),
          };
          const most = model.decodeRun?.iterations(features) ?? 0;
          expect(most).toBeGreaterThanOrEqual(1);
          const first = model.iterationSeconds(features);
          const slope = model.decodeRun?.slopeSeconds(features) ?? Number.NaN;
          const i = Math.min(within, most) - 1;
          const later = {
            ...features,
            decodeContextTokens: features.decodeContextTokens + i * decodeCount,
          };
          expect(Math.abs(model.iterationSeconds(later) - (first + slope * i))).toBeLessThan(1e-12);
          if (i > 0) inside++;
        },
      ),
      { numRuns: 500 },
    );
    expect(inside).toBeGreaterThan(100);
  });
});

describe('what long runs are kept in', () => {
  it('gaps: percentiles of progressions are those of their values', () => {
    const rows = fc.array(
      fc.tuple(
        fc.double({ min: 1e-3, max: 2, noNaN: true }),
        fc.constantFrom(0, 1e-6, 1e-3),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 9 }),
      ),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(rows, (list) => {
        const runs = createGapRuns();
        const values: number[] = [];
        const weights: number[] = [];
        for (const [first, slope, count, weight] of list) {
          runs.add(first, slope, count, weight);
          for (let i = 0; i < count; i++) {
            values.push(first + slope * i);
            weights.push(weight);
          }
        }
        const samples = sortWeighted(Float64Array.from(values), Float64Array.from(weights));
        const expected = summarizeWeighted(samples);
        const { summary, samples: given, isExact } = runs.take();
        expect(isExact).toBe(true);
        for (const each of ['p50', 'p90', 'p99', 'max', 'count', 'mean'] as const)
          expect(summary[each]).toBeCloseTo(expected[each], 9);
        expect(given.weights.reduce((a, b) => a + b, 0)).toBe(summary.count);
      }),
      { numRuns: 200 },
    );
  });

  it('gaps: above a million rows they are within 0.03 % and the memory stays', () => {
    const runs = createGapRuns();
    const rows = 1_300_000;
    // Values spread evenly in their logarithm over three decades.
    const gapOf = (i: number) => 1e-3 * 10 ** ((3 * ((i * 7919) % rows)) / rows);
    for (let i = 0; i < rows; i++) runs.add(gapOf(i), 0, 1, 1);
    const { summary, samples, isExact } = runs.take();
    expect(isExact).toBe(false);
    expect(summary.count).toBe(rows);
    expect(samples.values.length).toBeLessThan(60_000);
    for (const [name, share] of [
      ['p50', 0.5],
      ['p90', 0.9],
      ['p99', 0.99],
    ] as const) {
      const exact = 1e-3 * 10 ** (3 * share);
      expect(Math.abs(summary[name] / exact - 1)).toBeLessThan(3e-4);
    }
  });

  it('the timeline: rows of runs hold every iteration', () => {
    const rows = Array.from({ length: 8 }, (_, i) => [i, 100, 300_000, 0] as const);
    const params = serveParams.parse({
      strategy: { type: 'sarathi', maxSequences: 1 },
      memory: { kvBlocks: 40_000 },
      horizonSeconds: 1e7,
    });
    const { lanes, metrics, notes } = simulate(params, workloadOf(rows), makeCostModel(params));
    const lane = lanes[0];
    const times = lane?.runIterations;
    expect(notes.join()).toMatch(/a row of the timeline is a run of them/);
    expect(metrics.completed).toBe(8);
    expect(times?.reduce((a, b) => a + b, 0)).toBe(metrics.iterations);
    expect(lane?.startSeconds.length).toBeLessThan(metrics.iterations);
    expect(lane?.decodeTokens.reduce((sum, each, i) => sum + each * (times?.[i] ?? 0), 0)).toBe(
      8 * 299_999,
    );
    const busy = lane?.durationSeconds.reduce((a, b) => a + b, 0) ?? 0;
    expect(busy / metrics.makespanSeconds).toBeCloseTo(metrics.busyFraction, 6);
  });
});

describe('small structures', () => {
  it('how many iterations have ended is what counting them one by one gives', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-4, max: 1, noNaN: true }),
        fc.constantFrom(0, 1e-7, 1e-3),
        fc.integer({ min: 0, max: 300 }),
        fc.double({ min: 0, max: 200, noNaN: true }),
        (first, slope, most, seconds) => {
          let count = 0;
          while (count < most && runSeconds(first, slope, count + 1) < seconds) count++;
          expect(endedBefore(first, slope, most, seconds)).toBe(count);
        },
      ),
    );
  });

  it('the longest stall since a step is the maximum of the gaps since', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 })), fc.nat(40), (gaps, since) => {
        const stack = createStallStack();
        for (const [i, gap] of gaps.entries()) stack.push(i + 1, gap);
        expect(stack.largestAfter(since)).toBe(Math.max(0, ...gaps.slice(since)));
      }),
    );
  });

  it('the calendar gives the earliest, the lowest index among equals', () => {
    const moves = fc.array(fc.tuple(fc.nat(6), fc.constantFrom(1, 2, 3, 4, Infinity)));
    fc.assert(
      fc.property(moves, (list) => {
        const calendar = createCalendar(7);
        const times = new Array<number>(7).fill(Infinity);
        for (const [index, seconds] of list) {
          calendar.set(index, seconds);
          times[index] = seconds;
          const least = Math.min(...times);
          expect(calendar.nextSeconds()).toBe(least);
          if (least < Infinity) expect(calendar.nextIndex()).toBe(times.indexOf(least));
        }
      }),
    );
  });
});
