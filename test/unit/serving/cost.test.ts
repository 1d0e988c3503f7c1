import { describe, expect, it } from 'vitest';
import { emptyFeatures } from '../../../lib/serving/core/features';
import { fittedCostModel } from '../../../lib/serving/cost/fitted';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { rooflineCostModel } from '../../../lib/serving/cost/roofline';
import { HARDWARE } from '../../../lib/serving/presets/hardware';
import { kvBytesPerToken, weightBytes } from '../../../lib/serving/presets/kv-plan';
import { MODELS } from '../../../lib/serving/presets/models';
import { serveParams } from '../../../lib/spec/kinds/serve';

const ideal = {
  tensorParallel: 1,
  computeEfficiency: 1,
  bandwidthEfficiency: 1,
  overheadMicroseconds: 0,
};
const decode = (count: number, context: number) => ({
  ...emptyFeatures(),
  decodeCount: count,
  decodeContextTokens: count * context,
});
const prefill = (tokens: number) => ({
  ...emptyFeatures(),
  prefillCount: 1,
  prefillTokens: tokens,
  prefillTokensSquared: tokens ** 2,
  prefillAttentionPairs: tokens ** 2 / 2,
});

describe('presets', () => {
  it('has the parameter counts that the models are named for', () => {
    const billions = (id: keyof typeof MODELS) => weightBytes(MODELS[id]) / 2 / 1e9;
    expect(billions('llama-3.1-8b')).toBeCloseTo(8.03, 1);
    expect(billions('llama-3.1-70b')).toBeCloseTo(70.6, 0);
    expect(billions('qwen3-32b')).toBeCloseTo(32.8, 0);
    expect(billions('qwen2.5-14b')).toBeCloseTo(14.8, 0);
    // OPT ties its head, and the planner counts an untied one.
    expect(billions('opt-13b')).toBeCloseTo(13.1, 0);
    expect(kvBytesPerToken(MODELS['llama-3.1-8b'])).toBe(131_072);
  });
});

describe('roofline', () => {
  const model = rooflineCostModel(MODELS['llama-3.1-8b'], HARDWARE['a100-80g'], ideal);

  it('is bound by reading the weights for one decode', () => {
    const { vocabularySize, hiddenSize } = MODELS['llama-3.1-8b'];
    // The input embedding is looked up, not read whole.
    const bytes = weightBytes(MODELS['llama-3.1-8b']) - 2 * vocabularySize * hiddenSize;
    const seconds = bytes / HARDWARE['a100-80g'].bandwidthBytesPerSecond;
    expect(model.iterationSeconds(decode(1, 1)) / seconds).toBeGreaterThan(1);
    expect(model.iterationSeconds(decode(1, 1)) / seconds).toBeLessThan(1.02);
  });

  it('is bound by arithmetic for a long prefill, and never below it', () => {
    const flops = 2 * (weightBytes(MODELS['llama-3.1-8b']) / 2 - 2 * 128_256 * 4096) * 4096;
    const attention = 4 * (4096 ** 2 / 2) * 4096 * 32;
    const seconds = (flops + attention) / HARDWARE['a100-80g'].peakFlopsPerSecond;
    const ratio = model.iterationSeconds(prefill(4096)) / seconds;
    expect(ratio).toBeGreaterThan(1);
    expect(ratio).toBeLessThan(1.15);
  });

  it('grows with context, batch and tokens, and shrinks with tensor parallelism', () => {
    expect(model.iterationSeconds(decode(8, 4000))).toBeGreaterThan(
      model.iterationSeconds(decode(8, 100)),
    );
    expect(model.iterationSeconds(prefill(2000))).toBeGreaterThan(
      model.iterationSeconds(prefill(1000)),
    );
    const two = rooflineCostModel(MODELS['llama-3.1-8b'], HARDWARE['a100-80g'], {
      ...ideal,
      tensorParallel: 2,
    });
    expect(two.iterationSeconds(prefill(2000))).toBeLessThan(model.iterationSeconds(prefill(2000)));
  });
});

describe('fitted', () => {
  it('is the published polynomial for pure batches', () => {
    const model = fittedCostModel('opt-13b', 'a100-80g', 1);
    const expected = 18.10254647486372 + 0.1019122572698738 * 512 + 7.122264314252114e-6 * 512 ** 2;
    expect(model.iterationSeconds(prefill(512))).toBeCloseTo(expected / 1000, 12);
    const small = 19.934702624895458 + 0.0006269356524350583 * 10 * 600 + 0.03850697740828398 * 10;
    expect(model.iterationSeconds(decode(10, 600))).toBeCloseTo(small / 1000, 12);
    const large =
      7.1661889468253595 + 0.0005798000403396046 * 100 * 600 + 0.15831096191764046 * 100;
    expect(model.iterationSeconds(decode(100, 600))).toBeCloseTo(large / 1000, 12);
  });

  it('names what exists where there is no fit', () => {
    expect(() => fittedCostModel('llama-3.1-8b', 'h100', 1)).toThrow(
      /no fitted coefficients for llama-3.1-8b on h100 with tensorParallel 1 \(there are a100-80g: opt-13b with tensorParallel 1, 2, 4/,
    );
  });
});

describe('tables', () => {
  const params = serveParams.parse({ costModel: { type: 'tables' } });
  it('asks for a file and names what is wrong in one', () => {
    expect(() => makeCostModel(params)).toThrow(/bind an operator table/);
    expect(() => makeCostModel(params, { profile: 'x' })).toThrow(
      /invalid operator tables: .* at num_layers/,
    );
  });
});
