import '../zod-config';
import * as z from 'zod';
import { MODEL_IDS } from '../presets';

/** Microseconds, or microseconds per token, sequence or query-key pair. */
const cost = z.number().min(0).max(1e9).default(0);

/**
 * An operator that first reads its weights and then computes: the larger of two lines in the number
 * of tokens. The second line may begin below zero.
 */
const operatorCost = z
  .strictObject({
    baseMicroseconds: cost,
    perTokenMicroseconds: cost,
    lateBaseMicroseconds: z.number().min(-1e9).max(1e9).default(0),
    latePerTokenMicroseconds: cost,
  })
  .prefault({});

const common = {
  /** What the profile is of, and of which file: shown wherever its figures are. */
  label: z.string().max(200).default(''),
  source: z.string().max(300).default(''),
  /** Rows that the fit used, and the relative errors of the rows that it did not see. */
  rows: z.int().min(0).max(1e9).default(0),
  medianErrorPct: z.number().min(0).max(1e6).default(0),
  p90ErrorPct: z.number().min(0).max(1e6).default(0),
  /** Largest batch and longest context that were measured; 0 where unknown. */
  measuredTokens: z.int().min(0).max(1e9).default(0),
  measuredContextTokens: z.int().min(0).max(1e9).default(0),
} as const;

/** Costs of each operator of one layer, and of what runs once in an iteration. */
const operatorsProfile = z.strictObject({
  law: z.literal('operators'),
  ...common,
  /** The preset that it was fitted for; none for any other model. */
  model: z.enum(['none', ...MODEL_IDS]).default('none'),
  layers: z.int().min(1).max(1000).default(1),
  tensorParallel: z.int().min(1).max(16).default(1),
  qkv: operatorCost,
  attentionOutput: operatorCost,
  gateUp: operatorCost,
  down: operatorCost,
  /** Two norms, the rotation, the activation and norms of queries and keys, together. */
  elementwise: operatorCost,
  /** Embedding and last norm, once in an iteration. */
  once: z.strictObject({ baseMicroseconds: cost, perTokenMicroseconds: cost }).prefault({}),
  /** Output head and sampler, once in an iteration. */
  head: z.strictObject({ baseMicroseconds: cost, perSequenceMicroseconds: cost }).prefault({}),
  prefillAttention: z
    .strictObject({
      baseMicroseconds: cost,
      perTokenMicroseconds: cost,
      perContextTokenMicroseconds: cost,
      perPairMicroseconds: cost,
    })
    .prefault({}),
  decodeAttention: z
    .strictObject({
      baseMicroseconds: cost,
      perSequenceMicroseconds: cost,
      perContextTokenMicroseconds: cost,
      perMeanContextTokenMicroseconds: cost,
    })
    .prefault({}),
  /** Attention of a batch of both, which costs more than its parts. */
  mixedAttention: z
    .strictObject({
      baseMicroseconds: cost,
      perTokenMicroseconds: cost,
      perPrefillContextTokenMicroseconds: cost,
      perPairMicroseconds: cost,
      perSequenceMicroseconds: cost,
      perDecodeContextTokenMicroseconds: cost,
      perMeanContextTokenMicroseconds: cost,
    })
    .prefault({}),
  /** Weight w of the longest context: a decode batch costs as one of mean + w (longest - mean). */
  skewWeight: z.number().min(0).max(1).default(0),
  /** Two in each layer and one after the embedding. */
  allReduce: z.strictObject({ baseMicroseconds: cost, perTokenMicroseconds: cost }).prefault({}),
});

/** A whole iteration as one sum: all that a log of requests can tell. */
const iterationProfile = z.strictObject({
  law: z.literal('iteration'),
  ...common,
  baseMicroseconds: cost,
  perPrefillTokenMicroseconds: cost,
  perPairMicroseconds: cost,
  perDecodeMicroseconds: cost,
  perDecodeContextTokenMicroseconds: cost,
});

/** A fitted accelerator, small enough for a link. */
export const serveProfile = z.discriminatedUnion('law', [operatorsProfile, iterationProfile]);
export type HardwareProfile = z.output<typeof serveProfile>;
export type OperatorsProfile = z.output<typeof operatorsProfile>;
export type IterationProfile = z.output<typeof iterationProfile>;
export type OperatorCost = z.output<typeof operatorCost>;
