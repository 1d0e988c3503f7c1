import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchOf } from '../../../lib/serving/checks/cost-parts';
import { offlineWorkload } from '../../../lib/serving/checks/run-parts';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { HARDWARE } from '../../../lib/serving/presets/hardware';
import { planKv } from '../../../lib/serving/presets/kv-plan';
import { MODELS } from '../../../lib/serving/presets/models';
import { kvShare, prefillPairShare } from '../../../lib/serving/transforms/budgets';
import { presetTransform, TRANSFORM_LIST } from '../../../lib/serving/transforms/presets';
import { expectedTokens } from '../../../lib/serving/transforms/speculation';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { transformVector } from '../../../lib/spec/kinds/serve-transform';

const paramsOf = (transform: object, more: object = {}) =>
  serveParams.parse({ transform, ...more });
const seconds = (params: ReturnType<typeof paramsOf>, batch: Parameters<typeof batchOf>[0]) =>
  makeCostModel(params).iterationSeconds(batchOf(batch));
const blocks = (transform: object) =>
  planKv(MODELS['llama-3.1-8b'], HARDWARE['a100-80g'], paramsOf(transform)).blocks;
const none = { type: 'none' };

describe('model transforms', () => {
  test('a vector of ones changes nothing, in no cost model', () => {
    for (const costModel of [{ type: 'roofline' }, { type: 'calibrated' }]) {
      const batch = { decodes: 7, contextTokens: 900, promptTokens: 300 };
      expect(seconds(paramsOf({ type: 'vector' }, { costModel }), batch)).toBe(
        seconds(paramsOf(none, { costModel }), batch),
      );
    }
    expect(blocks({ type: 'vector' })).toBe(blocks(none));
  });

  test.each(TRANSFORM_LIST.map(({ id }) => id))('%s never makes memory scarcer', (preset) => {
    expect(blocks({ type: 'preset', preset })).toBeGreaterThanOrEqual(blocks(none));
  });

  test('smaller weights leave room for KV, and smaller KV takes less of it', () => {
    const plain = blocks(none);
    expect(blocks({ type: 'vector', kvBytes: 0.25 }) / plain).toBeCloseTo(4, 3);
    // 0.75 x 13.96 GB of layers over 2 MiB a block.
    const more = blocks({ type: 'vector', weightBytes: 0.25 }) - plain;
    expect(more / ((0.75 * 13.96e9) / (131_072 * 16))).toBeCloseTo(1, 2);
  });

  test('a budget is planned at its length: 2,000 of 16,000 tokens are an eighth', () => {
    const vector = transformVector.parse({ kvBudgetTokens: 2000, planTokens: 16_000 });
    expect(kvShare(vector)).toBe(0.125);
    expect(kvShare({ ...vector, fullHeads: 0.5 })).toBe(0.5625);
    expect(kvShare(vector, 1000)).toBe(1);
  });

  test('sparse prefill pays for its index only where it is sparse', () => {
    const vector = transformVector.parse({ prefillBudgetTokens: 1000, prefillIndex: 0.1 });
    expect(prefillPairShare(vector, 900)).toBe(1);
    expect(prefillPairShare(vector, 10_000)).toBeCloseTo(0.2, 12);
  });

  test('quarter weights make one decode nearly four times as fast, and a long prompt not at all', () => {
    const int4 = paramsOf({ type: 'preset', preset: 'finequant-int4' });
    const plain = paramsOf(none);
    const one = { decodes: 1, contextTokens: 100 };
    expect(seconds(plain, one) / seconds(int4, one)).toBeGreaterThan(3);
    const prompt = { promptTokens: 8192 };
    expect(seconds(plain, prompt) / seconds(int4, prompt)).toBeCloseTo(1, 2);
  });

  test('unpacked weights cost a read and a write beside what products read', () => {
    const plain = seconds(paramsOf(none), { decodes: 1, contextTokens: 1 });
    const packed = seconds(paramsOf({ type: 'preset', preset: 'dfloat11' }), {
      decodes: 1,
      contextTokens: 1,
    });
    // 13.96 GB of layers of 15.01 GB that a decode reads.
    expect(packed / plain).toBeCloseTo(1 + (1.7 * 13.96) / 15.01, 1);
  });

  test('half of the prompt halves a prompt, and decodes cost what they cost', () => {
    const swift = paramsOf({ type: 'preset', preset: 'swiftkv' });
    expect(
      seconds(paramsOf(none), { promptTokens: 8192 }) / seconds(swift, { promptTokens: 8192 }),
    ).toBeCloseTo(2, 1);
    const decode = { decodes: 30, contextTokens: 900 };
    expect(seconds(swift, decode)).toBe(seconds(paramsOf(none), decode));
  });

  test('a model that was measured changes by the ratio of rooflines', () => {
    const preset = { type: 'preset', preset: 'squeezellm' };
    const one = { decodes: 1, contextTokens: 100 };
    const ratio = (costModel: object) =>
      seconds(paramsOf(preset, { costModel }), one) / seconds(paramsOf(none, { costModel }), one);
    expect(ratio({ type: 'calibrated' })).toBeCloseTo(ratio({ type: 'roofline' }), 12);
    expect(makeCostModel(paramsOf(preset, { costModel: { type: 'calibrated' } })).label).toContain(
      'SqueezeLLM, 3 bits and sparse outliers by the ratio of rooflines',
    );
  });

  test('a decode with a budget stops growing with its context', () => {
    const params = paramsOf({ type: 'vector', decodeBudgetTokens: 4096 });
    const at = (contextTokens: number) => seconds(params, { decodes: 8, contextTokens });
    expect(at(4096)).toBeGreaterThan(at(2048));
    expect(at(100_000)).toBeCloseTo(at(4096), 9);
    expect(makeCostModel(params).decodeRun).toBeUndefined();
  });

  test('straight runs of decodes cost what single iterations cost', () => {
    const params = paramsOf({ type: 'preset', preset: 'comet' });
    const cost = makeCostModel(params);
    const batch = batchOf({ decodes: 64, contextTokens: 500 });
    const first = cost.iterationSeconds(batch);
    const slope = cost.decodeRun?.slopeSeconds(batch) as number;
    batch.decodeContextTokens += 64 * 10;
    expect(cost.iterationSeconds(batch)).toBeCloseTo(first + 10 * slope, 12);
  });
});

describe('speculation', () => {
  const draft = (more: object = {}) => ({ type: 'draft', draftCost: 0, ...more });
  const gain = (
    speculation: object,
    batch: Parameters<typeof batchOf>[0],
    costModel = 'roofline',
  ) =>
    seconds(paramsOf(none, { costModel: { type: costModel } }), batch) /
    seconds(paramsOf(none, { speculation, costModel: { type: costModel } }), batch);

  test('gives the sum of accepted prefixes', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        fc.integer({ min: 1, max: 20 }),
        (acceptance, draftTokens) => {
          const base = { draftTokens, acceptance, draftCost: 0 };
          const closed = (1 - acceptance ** (draftTokens + 1)) / (1 - acceptance);
          expect(expectedTokens({ ...base, acceptances: [] })).toBeCloseTo(closed, 9);
          const same = new Array<number>(draftTokens).fill(acceptance);
          expect(expectedTokens({ ...base, acceptance: 0, acceptances: same })).toBeCloseTo(
            closed,
            9,
          );
        },
      ),
    );
    expect(
      expectedTokens({ draftTokens: 3, acceptance: 0, acceptances: [0.5, 0.5], draftCost: 0 }),
    ).toBe(1 + 0.5 + 0.25 + 0.125);
  });

  test('a free and perfect draft is worth its length in a small batch, and less in a large one', () => {
    const one = { decodes: 1, contextTokens: 100 };
    expect(gain(draft({ acceptance: 1, draftTokens: 3 }), one)).toBeCloseTo(4, 1);
    expect(gain(draft({ acceptance: 1, draftTokens: 3 }), one, 'calibrated')).toBeCloseTo(4, 1);
    expect(
      gain(draft({ acceptance: 0.5, draftTokens: 3 }), { decodes: 512, contextTokens: 100 }),
    ).toBeLessThan(1);
  });

  test('a useless draft only costs', () => {
    const one = { decodes: 1, contextTokens: 100 };
    expect(
      gain({ type: 'draft', acceptance: 0, draftTokens: 4, draftCost: 0.25 }, one),
    ).toBeCloseTo(0.5, 1);
  });

  test('prompts cost what they cost', () => {
    const prompt = { promptTokens: 1000 };
    expect(gain(draft(), prompt)).toBe(1);
    // Beside a short prompt memory is the bound: verified tokens are free but for their KV.
    const short = { promptTokens: 50 };
    const mixed = { ...short, decodes: 8, contextTokens: 900 };
    const whole = seconds(paramsOf(none, { speculation: draft() }), mixed);
    expect(whole).toBeGreaterThan(seconds(paramsOf(none), short));
    expect(whole).toBeLessThan(seconds(paramsOf(none), mixed));
  });

  test('runs through any strategy: faster, and nothing lost', () => {
    for (const type of ['vllm', 'vllm-v1', 'sarathi', 'distserve']) {
      const run = (speculation: object) => {
        const params = paramsOf(none, { speculation, strategy: { type } });
        return simulate(params, offlineWorkload(12, 300, 60), makeCostModel(params)).metrics;
      };
      const fast = run(draft({ acceptance: 0.8 }));
      const plain = run({ type: 'none' });
      expect(fast.completed).toBe(12);
      expect(plain.tpotSeconds.mean / fast.tpotSeconds.mean).toBeGreaterThan(2);
    }
  });
});

test('a preset is found by its id with words for provenance', () => {
  expect(presetTransform('lserve').label).toBe('LServe');
  for (const { says, evidence } of TRANSFORM_LIST) {
    expect(says.length).toBeGreaterThan(40);
    expect(['abstract', 'unverified']).toContain(evidence);
  }
});

describe('weights below memory', () => {
  const streamed = (more: object) => paramsOf({ type: 'vector', ...more });
  // Layers of Llama 3.1 8B in 16 bits.
  const layerBytes = 13.96e9;

  test('leave their place to KV', () => {
    const more = blocks({ type: 'vector', streamedWeights: 0.5 }) - blocks(none);
    expect(more / ((0.5 * layerBytes) / (131_072 * 16))).toBeCloseTo(1, 2);
  });

  test('are read beside an iteration, or before it', () => {
    const decode = { decodes: 1, contextTokens: 100 };
    const plain = seconds(paramsOf(none), decode);
    const half = { streamedWeights: 0.5, streamGigabytesPerSecond: 20 };
    const read = (0.5 * layerBytes) / 20e9;
    const ahead = seconds(streamed({ ...half, streamOverlap: 1 }), decode);
    const onDemand = seconds(streamed({ ...half, streamOverlap: 0 }), decode);
    expect(ahead / read).toBeCloseTo(1, 2);
    expect((onDemand - plain) / read).toBeCloseTo(1, 2);
    const tenth = seconds(streamed({ ...half, streamedReads: 0.1, streamOverlap: 0 }), decode);
    expect((tenth - plain) / (onDemand - plain)).toBeCloseTo(0.1, 9);
  });

  test('cost nothing where an iteration computes longer than they take', () => {
    const prompt = { promptTokens: 8192 };
    const fast = streamed({ streamedWeights: 0.5, streamGigabytesPerSecond: 300 });
    expect(seconds(fast, prompt)).toBe(seconds(paramsOf(none), prompt));
  });

  test('are priced alike in runs of decodes and one by one', () => {
    const params = streamed({ streamedWeights: 0.3, streamGigabytesPerSecond: 100 });
    const load = offlineWorkload(20, 300, 60);
    const run = (isStepped: boolean) =>
      simulate(params, load, makeCostModel(params), { isStepped }).metrics.makespanSeconds;
    expect(run(false)).toBeCloseTo(run(true), 9);
  });
});
