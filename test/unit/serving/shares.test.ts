import { describe, expect, it } from 'vitest';
import { checkComposition } from '../../../lib/serving/compose/check-composition';
import { presetOfId } from '../../../lib/serving/compose/presets';
import { emptyFeatures } from '../../../lib/serving/core/features';
import { layerShareSeconds } from '../../../lib/serving/cost/layer-share';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { chunker, layerGroups } from '../../../lib/serving/parts/chunker';
import { splitController } from '../../../lib/serving/parts/partition';
import type { BatchFeatures } from '../../../lib/serving/types';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { composedStrategy, partitionPart } from '../../../lib/spec/kinds/serve-parts';

const batch: BatchFeatures = {
  ...emptyFeatures(),
  decodeCount: 20,
  decodeContextTokens: 20_000,
  decodeContextMin: 1000,
  decodeContextMax: 1000,
  prefillCount: 2,
  prefillTokens: 4096,
  prefillTokensSquared: 2 * 2048 ** 2,
  prefillAttentionPairs: 2048 ** 2,
};

describe('layer groups', () => {
  it('follow the table of 16 stages, and divide only what is longer than a set', () => {
    expect([1, 512, 513, 1024, 2048, 2049, 4096, 4097, 9999].map(layerGroups)).toEqual([
      1, 1, 2, 2, 4, 8, 8, 16, 16,
    ]);
    const part = chunker({ type: 'layer-group', maxTokens: 100 });
    expect([part(60, 100), part(60, 40), part(250, 100), part(250, 90)]).toEqual([60, 0, 100, 0]);
  });

  it('cost decodes G times and prompts once, exactly or in proportion', () => {
    const groups = 8;
    const spread = { ...batch, prefillLayerShare: 1 / groups };
    const decodes = { ...batch, prefillCount: 0, prefillTokens: 0, prefillAttentionPairs: 0 };
    const exact = makeCostModel(serveParams.parse({ model: 'qwen3-30b-a3b', tensorParallel: 2 }));
    let sum = 0;
    for (let i = 0; i < groups; i++)
      sum += layerShareSeconds(exact, { ...spread, prefillReachesHead: i === groups - 1 });
    const expected = exact.iterationSeconds(batch) + (groups - 1) * exact.iterationSeconds(decodes);
    expect(sum).toBeCloseTo(expected, 9);
    const other = makeCostModel(serveParams.parse({ costModel: { type: 'calibrated' } }));
    const alone = other.iterationSeconds({ ...decodes, prefillTokensSquared: 0 });
    expect(layerShareSeconds(other, spread)).toBeCloseTo(
      alone + (other.iterationSeconds(batch) - alone) / groups,
      9,
    );
  });
});

describe('shares of two phases', () => {
  const work = { arithmeticSeconds: 0.1, memorySeconds: 0.02 };
  const decode = { arithmeticSeconds: 0.002, memorySeconds: 0.01 };
  const view = { nowSeconds: 0, prefill: work, decode, kvUse: 0.1, longestWaitSeconds: 0 };
  const feedback = () => {
    const part = partitionPart.parse({ type: 'slo-feedback' });
    return splitController(part as never);
  };

  it('follow what is late, and nothing when both are or memory is what is waited for', () => {
    const shareAfter = (see: (controller: ReturnType<typeof feedback>) => void) => {
      const controller = feedback();
      controller.split(view);
      see(controller);
      return controller.split({ ...view, nowSeconds: 1.1 }).prefillShare;
    };
    expect(shareAfter(() => undefined)).toBe(0.5);
    expect(shareAfter((each) => each.onFirstToken(2))).toBeCloseTo(0.6, 9);
    expect(shareAfter((each) => each.onDecodes(0.1, 5))).toBeCloseTo(0.4, 9);
    expect(
      shareAfter((each) => {
        each.onFirstToken(2);
        each.onDecodes(0.1, 5);
      }),
    ).toBe(0.5);
    expect(
      shareAfter((each) => {
        each.onFirstToken(2);
        each.split({ ...view, prefill: undefined, longestWaitSeconds: 3 });
      }),
    ).toBe(0.5);
  });

  it('from predicted times favour prompts until KV gets short, and move past a band only', () => {
    const part = partitionPart.parse({ type: 'model-driven', switchThreshold: 0.5 });
    const controller = splitController(part as never);
    expect(controller.split({ ...view, decode: undefined }).prefillShare).toBe(1);
    const early = controller.split(view);
    expect(controller.split({ ...view, prefill: { ...work, arithmeticSeconds: 0.101 } })).toBe(
      early,
    );
    const late = controller.split({ ...view, kvUse: 0.9 });
    expect(late.prefillShare).toBeGreaterThan(early.prefillShare);
  });
});

describe('parts that contradict each other', () => {
  it.each([
    ['layered-prefill', { batchFormer: { type: 'decode-first' } }, /layer-group.*decode-first/],
    ['layered-prefill', { partition: { type: 'static' } }, /layer-group.*static/],
    ['flowprefill', { topology: { type: 'colocated' } }, /pause-at-operator.*colocated/],
    ['flowprefill', { priority: { type: 'edf' } }, /pause-at-operator.*edf/],
    ['flowprefill', { chunker: { type: 'budget' } }, /pause-at-operator.*budget/],
    ['semi-pd', { topology: { type: 'pools' } }, /pools.*slo-feedback/],
    ['nexus', { preemption: { type: 'swap' } }, /swap.*model-driven/],
    ['nexus', { admission: { type: 'future-peak' } }, /future-peak.*model-driven/],
  ])('%s with %o', (id, more, message) => {
    const preset = presetOfId(id);
    expect(checkComposition(preset)).toBeUndefined();
    expect(checkComposition(composedStrategy.parse({ ...preset, ...more }))).toMatch(message);
  });
});
