import { emptyFeatures } from '../core/features';
import { type RooflineCostModel, type RooflineOptions, rooflineCostModel } from '../cost/roofline';
import { HARDWARE } from '../presets/hardware';
import type { BatchFeatures, HardwareSpec, ModelSpec } from '../types';

export type Architecture = Omit<ModelSpec, 'id'>;

const BF16 = { bytesPerWeight: 2, bytesPerKvElement: 2, ffnMatrices: 3 } as const;

export const LLAMA_13B: Architecture = {
  ...BF16,
  label: 'LLaMA 13B',
  layers: 40,
  hiddenSize: 5120,
  queryHeads: 40,
  kvHeads: 40,
  headSize: 128,
  ffnSize: 13_824,
  vocabularySize: 32_000,
  maxModelTokens: 2048,
  source: 'config.json of meta-llama/Llama-2-13b-hf, of the same shape',
};

export const LLAMA_2_70B: Architecture = {
  ...BF16,
  label: 'Llama 2 70B',
  layers: 80,
  hiddenSize: 8192,
  queryHeads: 64,
  kvHeads: 8,
  headSize: 128,
  ffnSize: 28_672,
  vocabularySize: 32_000,
  maxModelTokens: 4096,
  source: 'config.json of meta-llama/Llama-2-70b-hf',
};

/** The roofline of a check: the shares of peak that a serve cell has by default, unless given. */
export function checkRoofline(
  model: Architecture,
  hardware: HardwareSpec = HARDWARE['a100-80g'],
  options: Partial<RooflineOptions> = {},
): RooflineCostModel {
  return rooflineCostModel(model, hardware, {
    tensorParallel: 1,
    computeEfficiency: 0.7,
    bandwidthEfficiency: 0.8,
    overheadMicroseconds: 0,
    ...options,
  });
}

export const SHARES_NOTE =
  'roofline per operator at 0.7 of peak arithmetic and 0.8 of bandwidth; nothing is fitted to the method';

export interface BatchOf {
  readonly decodes?: number;
  /** Of each decode. */
  readonly contextTokens?: number;
  /** Of one prompt, or the tokens of its chunk. */
  readonly promptTokens?: number;
  readonly prompts?: number;
  /** Tokens of each prompt that are in the cache already. */
  readonly doneTokens?: number;
}

/** A batch of equal decodes and equal prompt chunks, as a cost model sees it. */
export function batchOf(batch: BatchOf): BatchFeatures {
  const { decodes = 0, contextTokens = 0, promptTokens = 0, doneTokens = 0 } = batch;
  const prompts = promptTokens > 0 ? (batch.prompts ?? 1) : 0;
  return {
    ...emptyFeatures(),
    decodeCount: decodes,
    decodeContextTokens: decodes * contextTokens,
    decodeContextMin: decodes > 0 ? contextTokens : 0,
    decodeContextMax: decodes > 0 ? contextTokens : 0,
    prefillCount: prompts,
    prefillTokens: prompts * promptTokens,
    prefillTokensSquared: prompts * promptTokens ** 2,
    prefillContextTokens: prompts * doneTokens,
    prefillContextTokensRounded: prompts * Math.ceil(doneTokens / 64) * 64,
    prefillAttentionPairs: prompts * promptTokens * (doneTokens + promptTokens / 2),
  };
}

/** Seconds of a whole prompt in chunks, alone. */
export function chunkedSeconds(
  cost: Pick<RooflineCostModel, 'iterationSeconds'>,
  tokens: number,
  chunk: number,
): number {
  let seconds = 0;
  for (let done = 0; done < tokens; done += chunk) {
    const promptTokens = Math.min(chunk, tokens - done);
    seconds += cost.iterationSeconds(batchOf({ promptTokens, doneTokens: done }));
  }
  return seconds;
}

export const CLAIM = 'claim of the paper';
export const EARLIER = 'an earlier simulation of ours';
