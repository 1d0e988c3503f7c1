import { describe, expect, it } from 'vitest';
import { emptyFeatures } from '../../../lib/serving/core/features';
import { type OpTableFiles, readOpTables } from '../../../lib/serving/cost/op-tables/files';
import { expectedExperts } from '../../../lib/serving/cost/op-tables/moe';
import { opTablesCostModel } from '../../../lib/serving/cost/op-tables/op-tables';
import { groupTokens } from '../../../lib/serving/cost/op-tables/shared-experts';
import { readEngineSettings } from '../../../lib/serving/fidelity/engine-settings';
import { HARDWARE } from '../../../lib/serving/presets/hardware';
import { linkOf } from '../../../lib/serving/presets/links';
import type { BatchFeatures } from '../../../lib/serving/types';
import { MADE_UP, madeUpProfile } from './made-up-profile';

const LAYERS = 4;
const EXPERTS = { count: 8, perToken: 2 };
const HIDDEN = 1024;
const modelOf = (files: OpTableFiles, more = {}) =>
  opTablesCostModel(readOpTables(files, 1), {
    layers: LAYERS,
    hiddenSize: HIDDEN,
    bytesPerElement: 2,
    experts: EXPERTS,
    link: { bytesPerSecond: 1e9, latencySeconds: 5e-6, source: 'test' },
    largestGraphTokens: 0,
    ...more,
  });

function prompt(tokens: number): BatchFeatures {
  const f = emptyFeatures();
  f.prefillCount = tokens === 0 ? 0 : 1;
  f.prefillTokens = tokens;
  f.prefillTokensSquared = tokens * tokens;
  f.prefillAttentionPairs = (tokens * tokens) / 2;
  return f;
}

describe('experts that data-parallel ranks share', () => {
  const files = madeUpProfile({ hasMoe: true });
  const whole = modelOf(files, { sharedExperts: 'whole' });
  /** What one rank computes beside its experts. */
  const ownMicroseconds = (tokens: number): number =>
    whole.iterationSeconds(prompt(tokens)) * 1e6 -
    LAYERS * MADE_UP.moe(tokens, expectedExperts(EXPERTS, tokens));

  it('cost the slowest rank, its part of the experts on all tokens, and the exchange', () => {
    const ranks = [prompt(256), prompt(128)];
    const all = 384;
    const moe = MADE_UP.moe(all / 2, expectedExperts(EXPERTS, all) / 2);
    const bytes = (all * (2 * HIDDEN * 2 + EXPERTS.count * 2)) / 2;
    const exchange = 2 * 5 + bytes * 1e-3;
    expect((whole.groupIterationSeconds?.(ranks) ?? 0) * 1e6).toBeCloseTo(
      ownMicroseconds(256) + LAYERS * (moe + exchange),
      6,
    );
    const sliced = modelOf(files, { sharedExperts: 'sliced' });
    const slices = MADE_UP.moe(all, expectedExperts(EXPERTS, all)) / 2;
    expect((sliced.groupIterationSeconds?.(ranks) ?? 0) * 1e6).toBeCloseTo(
      ownMicroseconds(256) + LAYERS * (slices + exchange),
      6,
    );
  });

  it('are those of a model by itself where there is one rank', () => {
    for (const tokens of [1, 16, 300]) {
      const f = prompt(tokens);
      expect(whole.groupIterationSeconds?.([f])).toBeCloseTo(whole.iterationSeconds(f), 12);
    }
  });

  it('take a link of their own where it was measured apart', () => {
    const exchange = { bytesPerSecond: 2e9, latencySeconds: 3e-6, source: 'apart' };
    const link = { bytesPerSecond: 1e9, latencySeconds: 5e-6, source: 'test', exchange };
    const apart = modelOf(files, { sharedExperts: 'whole', link });
    const ranks = [prompt(100), prompt(100)];
    const bytes = (200 * (2 * HIDDEN * 2 + EXPERTS.count * 2)) / 2;
    const saved = LAYERS * (2 * 2 + bytes * 1e-3 * 0.5);
    const difference =
      (whole.groupIterationSeconds?.(ranks) ?? 0) - (apart.groupIterationSeconds?.(ranks) ?? 0);
    expect(difference * 1e6).toBeCloseTo(saved, 6);
    expect(apart.source).toContain('all-gather and reduce-scatter: apart');
  });

  it('pad every rank to the largest batch where that runs as a graph, else none', () => {
    expect([...groupTokens([prompt(9), prompt(0)], 64).padded]).toEqual([16, 16]);
    expect([...groupTokens([prompt(100), prompt(0)], 64).padded]).toEqual([100, 1]);
    expect(groupTokens([prompt(9), prompt(0)], 64).real).toBe(9);
  });

  it('are spread over tensor-parallel ranks too where the table is of one whole rank', () => {
    const both = {
      ...madeUpProfile({ folder: 'tp1/', hasMoe: true }),
      ...madeUpProfile({ folder: 'tp2/' }),
    };
    const options = {
      layers: LAYERS,
      hiddenSize: HIDDEN,
      bytesPerElement: 2,
      experts: EXPERTS,
      link: { bytesPerSecond: 1e9, latencySeconds: 5e-6, source: 'test' },
      largestGraphTokens: 0,
    };
    const ranks = [prompt(100), prompt(100)];
    const secondsOf = (kind: 'whole' | 'sliced') =>
      opTablesCostModel(readOpTables(both, 2), {
        ...options,
        sharedExperts: kind,
      }).groupIterationSeconds?.(ranks) ?? Number.NaN;
    const activated = expectedExperts(EXPERTS, 200);
    const difference = MADE_UP.moe(200, activated) / 4 - MADE_UP.moe(200 / 4, activated / 4);
    expect((secondsOf('sliced') - secondsOf('whole')) * 1e6).toBeCloseTo(LAYERS * difference, 6);
  });

  it('need a table of experts', () => {
    expect(() => modelOf(madeUpProfile(), { sharedExperts: 'whole' })).toThrow(
      'sharedExperts: the profile has no moe.csv (expected one, or sharedExperts none)',
    );
  });
});

describe('the settings of a measured run', () => {
  const meta = {
    model: 'Qwen/Qwen3-30B-A3B',
    vllm_version: '0.19.0',
    engine_kwargs: { data_parallel_size: 2, enable_expert_parallel: true },
  };
  const gpu = 'RTX PRO 6000';

  it('say whose experts are where, and leave more memory to the cache', () => {
    const whole = readEngineSettings('meta.json', meta, { gpu });
    expect(whole.sharedExperts).toBe('whole');
    const slices = { ...meta, engine_kwargs: { data_parallel_size: 2 } };
    expect(readEngineSettings('meta.json', slices, { gpu }).sharedExperts).toBe('sliced');
    const dense = { ...meta, model: 'meta-llama/Llama-3.1-8B' };
    expect(readEngineSettings('meta.json', dense, { gpu }).sharedExperts).toBe('none');
    const one = readEngineSettings('meta.json', { ...meta, engine_kwargs: {} }, { gpu });
    expect(one.sharedExperts).toBe('none');
    expect(whole.kvBlocks).toBeGreaterThan(1.5 * one.kvBlocks);
  });

  it('take the collectives that were measured with the version of the engine', () => {
    const card = HARDWARE['rtx-pro-6000'];
    expect(linkOf(card, '0.19.0').source).toMatch(/vLLM 0.19/);
    expect(linkOf(card, '0.24.1').source).toMatch(/NCCL/);
    expect(linkOf(card).source).toMatch(/NCCL/);
    // 128 tokens of 5,120 channels in 16 bits: between 91.5 us for 1 MiB and 157.5 us for 2 MiB.
    const { bytesPerSecond, latencySeconds } = linkOf(card, '0.19.0');
    const seconds = latencySeconds + (128 * 5120 * 2) / bytesPerSecond;
    expect(seconds * 1e6).toBeGreaterThan(91.5);
    expect(seconds * 1e6).toBeLessThan(115);
  });
});

describe('a profile whose metadata switches its skew fit off', () => {
  it('is read without the weights, and says so', () => {
    const files = madeUpProfile({ hasSkew: true });
    const off = {
      ...files,
      'meta.yaml': (files['meta.yaml'] as string).replace('enabled: true', 'enabled: false'),
    };
    const f = emptyFeatures();
    Object.assign(f, {
      decodeCount: 4,
      decodeContextTokens: 4096,
      decodeContextMin: 512,
      decodeContextMax: 2048,
    });
    const options = { experts: undefined };
    expect(modelOf(off, options).iterationSeconds(f)).toBeLessThan(
      modelOf(files, options).iterationSeconds(f),
    );
    expect(modelOf(off, options).source).toContain(
      'skew_fit.csv left out: meta.yaml has skew_fit.enabled: false',
    );
    expect(modelOf(files, options).source).not.toContain('left out');
  });
});
