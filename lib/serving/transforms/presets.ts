import type { z } from 'zod';
import {
  type ServeTransform,
  type TransformVector,
  transformVector,
} from '../../spec/kinds/serve-transform';
import { TRANSFORM_IDS, type TransformId } from '../../spec/presets';
import type { Evidence } from '../checks/types';

/** A published change of the model as multipliers of its cost. Quality is not simulated. */
export interface TransformPreset {
  readonly title: string;
  readonly vector: z.input<typeof transformVector>;
  /** What the vector stands for, and which of its numbers are the paper's. */
  readonly says: string;
  readonly evidence: Evidence;
}

/** A vector with the words that provenance shows. */
export interface ModelTransform extends TransformVector {
  readonly label: string;
}

const abstract = 'abstract' as const;

export const TRANSFORMS: Readonly<Record<TransformId, TransformPreset>> = {
  'finequant-int4': {
    title: 'FineQuant, 4-bit weights',
    vector: { weightBytes: 0.25 },
    says: 'Weights in 4 bits, widened in registers on the way into 16-bit products; scales of the groups are not counted.',
    evidence: abstract,
  },
  'finequant-int8': {
    title: 'FineQuant, 8-bit weights',
    vector: { weightBytes: 0.5 },
    says: 'Weights in 8 bits, widened in registers on the way into 16-bit products.',
    evidence: abstract,
  },
  comet: {
    title: 'COMET, W4A4 and 4-bit KV',
    vector: { weightBytes: 0.25, gemmTime: 1 / 2.88, kvBytes: 0.25, decodeKvBytes: 0.25 },
    says: "Weights, activations and KV in 4 bits; the products' time is the paper's claim against cuBLAS, 1 / 2.88.",
    evidence: abstract,
  },
  squeezellm: {
    title: 'SqueezeLLM, 3 bits and sparse outliers',
    vector: { weightBytes: 0.2 },
    says: 'Weights in 3 bits by a table with 0.45 % of them kept sparse in full: 0.2 of the bytes.',
    evidence: abstract,
  },
  dfloat11: {
    title: 'DFloat11, lossless',
    vector: { weightBytes: 0.7, unpacksWeights: true },
    says: 'Weights at 0.7 of their size without loss. Every iteration unpacks each block into memory (read 0.7, write 1) and its products read it again: formula of this simulator, at full bandwidth.',
    evidence: abstract,
  },
  swiftkv: {
    title: 'SwiftKV',
    vector: { prefillFlops: 0.5, prefillAttention: 0.5 },
    says: 'Prompt tokens go through half of the layers; the later half gets only its keys and values from there.',
    evidence: abstract,
  },
  'swiftkv-acrosskv': {
    title: 'SwiftKV with AcrossKV and 8-bit KV',
    vector: { prefillFlops: 0.5, prefillAttention: 0.5, kvBytes: 0.375, decodeKvBytes: 0.375 },
    says: "As SwiftKV, and layers share KV: 62.5 % less of it, the paper's claim.",
    evidence: abstract,
  },
  fastkv: {
    title: 'FastKV',
    vector: { prefillFlops: 0.6, prefillAttention: 0.52, kvBytes: 0.1, decodeKvBytes: 0.1 },
    says: 'Half of the layers see the whole prompt, the rest a fifth of its tokens: 0.5 + 0.5 x 0.2 of the products and 0.5 + 0.5 x 0.04 of the pairs; a tenth of the KV is retained.',
    evidence: abstract,
  },
  lserve: {
    title: 'LServe',
    vector: {
      prefillAttention: 0.5,
      decodeKvBytes: 0.5,
      decodeBudgetTokens: 4096,
      decodeIndex: 1 / 128,
      kvBytes: 0.5,
    },
    says: 'Half of the heads stream (their few tokens are not counted); the others read 4,096 tokens chosen by page, every fourth step, by the least and largest key of 16 tokens: 1/16 of their bytes / 2 / 4.',
    evidence: abstract,
  },
  'duo-attention-mha': {
    title: 'DuoAttention, multi-head models',
    vector: { kvBytes: 1 / 2.55, decodeKvBytes: 1 / 2.55, prefillAttention: 1 / 2.55 },
    says: 'Heads that retrieve keep all KV, the rest a window: memory by the claimed 2.55, reads and pairs by the same.',
    evidence: abstract,
  },
  'duo-attention-gqa': {
    title: 'DuoAttention, grouped-query models',
    vector: { kvBytes: 1 / 1.67, decodeKvBytes: 1 / 1.67, prefillAttention: 1 / 1.67 },
    says: 'Heads that retrieve keep all KV, the rest a window: memory by the claimed 1.67, reads and pairs by the same.',
    evidence: abstract,
  },
  snapkv: {
    title: 'SnapKV-like fixed budget',
    vector: { kvBudgetTokens: 1998, decodeBudgetTokens: 1998 },
    says: 'After the prompt a fixed number of tokens is kept: 16,384 / 8.2, the claimed saving at 16K. Memory while a prompt is computed is not reduced, and the plan counts requests of planTokens.',
    evidence: abstract,
  },
  minference: {
    title: 'MInference-like sparse prefill',
    vector: { prefillBudgetTokens: 16_384, prefillIndex: 0.05 },
    says: 'Each query of a prompt looks at a fixed number of keys, found for a share of the dense time: both are assumptions of this preset, not the paper.',
    evidence: 'unverified',
  },
  longgen: {
    title: 'LongGen',
    vector: { prefillAttention: 0.38, decodeKvBytes: 0.38, kvBytes: 0.38 },
    says: 'A third of the layers attend to everything, the rest sparsely: 62 % less KV, the claim; reads and pairs by the same.',
    evidence: abstract,
  },
  'llm-in-a-flash': {
    title: 'LLM in a flash',
    vector: {
      streamedWeights: 0.5,
      streamedReads: 0.033,
      streamGigabytesPerSecond: 6,
      streamOverlap: 0,
    },
    says: 'Half of the layers in flash, as for models of twice the memory (the claim). Of them an iteration reads one in forty weights of the feed-forward layers: neurons that the last tokens did not use. That share and 6 GB/s are assumptions of this preset, of a sparse (ReLU) model and one request.',
    evidence: 'unverified',
  },
  energonai: {
    title: 'EnergonAI, weights on peers',
    vector: { streamedWeights: 0.5, streamGigabytesPerSecond: 300, streamOverlap: 1 },
    says: 'Half of the layers on a neighbouring accelerator, each read while the one before it computes. The half is an assumption of this preset, 300 GB/s that of a link between accelerators.',
    evidence: 'unverified',
  },
  'tpi-llm': {
    title: 'TPI-LLM, a window of weights',
    vector: { streamedWeights: 0.9, streamGigabytesPerSecond: 3, streamOverlap: 1 },
    says: 'A tenth of the layers in memory, nine tenths on a disk (memory less by 90 %, the claim); a window of layers is read while those before it compute and sum up. 3 GB/s is an assumption of this preset.',
    evidence: abstract,
  },
};

/** The vector that a cell asks for, or undefined for none. */
export function transformOf(transform: ServeTransform): ModelTransform | undefined {
  switch (transform.type) {
    case 'none':
      return undefined;
    case 'preset': {
      const { title, vector } = TRANSFORMS[transform.preset];
      return { ...transformVector.parse(vector), label: title };
    }
    case 'vector': {
      const { type: _, ...vector } = transform;
      return { ...vector, label: 'an own transform' };
    }
  }
}

/** A published vector by its name, for checks. */
export function presetTransform(preset: TransformId): ModelTransform {
  return transformOf({ type: 'preset', preset }) as ModelTransform;
}

/** In the order of the list that a page shows. */
export const TRANSFORM_LIST = TRANSFORM_IDS.map((id) => ({ id, ...TRANSFORMS[id] }));
