import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchOf } from '../../../lib/serving/checks/cost-parts';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { type Overlap, overlappedSeconds } from '../../../lib/serving/cost/overlap';
import { rooflineCostModel } from '../../../lib/serving/cost/roofline';
import { HARDWARE } from '../../../lib/serving/presets/hardware';
import { layerWeightBytes, planKv, weightBytes } from '../../../lib/serving/presets/kv-plan';
import { MODELS } from '../../../lib/serving/presets/models';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { HARDWARE_IDS, MODEL_IDS } from '../../../lib/spec/presets';

const ideal = {
  tensorParallel: 1,
  computeEfficiency: 1,
  bandwidthEfficiency: 1,
  overheadMicroseconds: 0,
};
const moe = MODELS['qwen3-30b-a3b'];
const h100 = HARDWARE.h100;

const batches = fc
  .record({
    decodes: fc.integer({ min: 0, max: 300 }),
    contextTokens: fc.integer({ min: 1, max: 20_000 }),
    promptTokens: fc.integer({ min: 0, max: 8192 }),
    doneTokens: fc.integer({ min: 0, max: 8192 }),
  })
  .filter(({ decodes, promptTokens }) => decodes + promptTokens > 0)
  .map(batchOf);
const models = fc.constantFrom(...MODEL_IDS).map((id) => MODELS[id]);
const machines = fc.constantFrom(...HARDWARE_IDS).map((id) => HARDWARE[id]);

describe('mixture of experts', () => {
  test('has all parameters of its name, and reads few of them for one token', () => {
    expect(weightBytes(moe) / 2 / 1e9).toBeCloseTo(30.5, 0);
    expect(weightBytes(MODELS['mixtral-8x7b']) / 2 / 1e9).toBeCloseTo(46.7, 0);
    const seconds = rooflineCostModel(moe, h100, ideal).iterationSeconds(
      batchOf({ decodes: 1, contextTokens: 1 }),
    );
    // About 3 of 30 billion, 16-bit.
    expect((seconds * h100.bandwidthBytesPerSecond) / 2e9).toBeGreaterThan(2.7);
    expect((seconds * h100.bandwidthBytesPerSecond) / 2e9).toBeLessThan(3.3);
  });

  test('reads more experts the more tokens there are, and each at most once', () => {
    const cost = rooflineCostModel(moe, h100, ideal);
    const bytes = (decodes: number) =>
      cost.parts(batchOf({ decodes, contextTokens: 1 })).memorySeconds *
      h100.bandwidthBytesPerSecond;
    expect(bytes(16) / bytes(1)).toBeGreaterThan(5);
    expect(bytes(4096)).toBeGreaterThan(layerWeightBytes(moe));
    expect(bytes(256) / layerWeightBytes(moe)).toBeLessThan(1.2);
  });

  test('a layer with one expert for every token is a dense layer beside its router', () => {
    const dense = MODELS['mistral-7b'];
    const single = { ...dense, experts: { count: 1, perToken: 1 } };
    const batch = batchOf({ promptTokens: 700 });
    const a = rooflineCostModel(dense, h100, ideal).iterationSeconds(batch);
    const b = rooflineCostModel(single, h100, ideal).iterationSeconds(batch);
    expect(b / a).toBeGreaterThan(1);
    expect(b / a).toBeLessThan(1.01);
  });

  test('the plan of KV blocks counts every expert', () => {
    const params = serveParams.parse({ model: 'mixtral-8x7b', hardware: 'h100' });
    expect(() => planKv(MODELS['mixtral-8x7b'], h100, params)).toThrow(
      /does not fit: weights need 87/,
    );
  });
});

describe('overlap', () => {
  const overlaps: readonly Overlap[] = [
    { type: 'fused' },
    { type: 'lanes', nanoBatches: 1, interference: 0, uncovered: 0 },
  ];

  test('is between the longest resource and one after another', () => {
    fc.assert(
      fc.property(
        models,
        machines,
        batches,
        fc.constantFrom(1, 2, 8),
        (model, machine, batch, tp) => {
          const options = { ...ideal, tensorParallel: tp, collectiveLatencyMicroseconds: 5 };
          const serial = rooflineCostModel(model, machine, options);
          const parts = serial.parts(batch);
          const before = serial.iterationSeconds(batch);
          for (const overlap of overlaps) {
            const after = rooflineCostModel(model, machine, { ...options, overlap });
            const seconds = after.iterationSeconds(batch);
            expect(seconds).toBeLessThanOrEqual(before * (1 + 1e-12));
            expect(seconds).toBeGreaterThanOrEqual(parts.networkSeconds * (1 - 1e-12));
            const { arithmeticSeconds, memorySeconds } = parts;
            if (overlap.type === 'fused')
              expect(seconds).toBeGreaterThanOrEqual(
                Math.max(arithmeticSeconds, memorySeconds) * (1 - 1e-12),
              );
          }
        },
      ),
    );
  });

  test('lanes never take longer than one after another, however they interfere', () => {
    const layer = {
      serial: 5,
      arithmetic: 3,
      memory: 3,
      computeLane: 3,
      memoryLane: 2,
      norms: 0.5,
      networkLatency: 0.5,
      networkBytes: 0.5,
    };
    const place = { tokens: 2000, tensorParallel: 8, layers: 10 };
    const at = (interference: number, uncovered = 0) =>
      overlappedSeconds(layer, { type: 'lanes', nanoBatches: 2, interference, uncovered }, place);
    expect(at(0)).toBe(3);
    expect(at(0.1)).toBeCloseTo(3.3, 12);
    expect(at(4)).toBe(6);
    expect(at(0, 1)).toBe(6);
    // Half of the tokens compute on 3 / 4 of the SMs beside the other half's collective.
    const split = (tokens: number) =>
      overlappedSeconds(
        layer,
        { type: 'token-split', thresholdTokens: 1024, networkShare: 0.25 },
        { ...place, tokens },
      );
    const fused = 2 * 0.5 + 0.5 + 0.5 / 8;
    expect(split(1024)).toBeCloseTo(4.5 / 0.75 + fused / 20, 12);
    expect(split(1023)).toBeCloseTo(4.5 + 0.5 / 8 + 1, 12);
  });

  test('a collective has a start-up that small batches feel', () => {
    const seconds = (collectiveLatencyMicroseconds: number, decodes: number) =>
      rooflineCostModel(MODELS['llama-3.1-70b'], h100, {
        ...ideal,
        tensorParallel: 8,
        collectiveLatencyMicroseconds,
      }).iterationSeconds(batchOf({ decodes, contextTokens: 10 }));
    expect(seconds(10, 4) - seconds(0, 4)).toBeCloseTo(160 * 10e-6, 12);
  });

  test('a cell chooses it, and the label says so', () => {
    const params = serveParams.parse({
      model: 'llama-3.1-70b',
      tensorParallel: 8,
      costModel: { type: 'roofline', overlap: { type: 'token-split' } },
    });
    const cost = makeCostModel(params);
    expect(cost.label).toContain('overlap token-split');
    expect(cost.decodeRun).toBeUndefined();
  });
});
