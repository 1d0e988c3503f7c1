import '../zod-config';
import * as z from 'zod';

/** The stretch, and the length that the model was trained on; sized for the page. */
const factor = z.number().min(1).max(64).default(4);
const originalTokens = z.int().min(16).max(1_048_576).default(256);

/** How rotary angles are stretched; see lib/attention/position/rope-frequencies. */
const ropeScaling = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  z.strictObject({ type: z.literal('linear'), factor }),
  z.strictObject({ type: z.literal('ntk'), factor }),
  /** The present context is all keys of the call. */
  z.strictObject({ type: z.literal('dynamic-ntk'), factor, originalTokens }),
  z.strictObject({
    type: z.literal('yarn'),
    factor,
    originalTokens,
    betaFast: z.number().min(1.5).max(1000).default(32),
    betaSlow: z.number().min(0.01).max(1.4).default(1),
  }),
  z.strictObject({
    type: z.literal('llama3'),
    factor,
    originalTokens,
    lowFrequencyFactor: z.number().min(0.1).max(2).default(1),
    highFrequencyFactor: z.number().min(2.5).max(64).default(4),
  }),
]);
export type RopeScalingParams = z.output<typeof ropeScaling>;

const rope = {
  base: z.number().min(2).max(1e9).default(10_000),
  pairing: z.enum(['half-split', 'interleaved']).default('half-split'),
  scaling: ropeScaling.default({ type: 'none' }),
};

/** What is done to queries, keys and scores with their positions; see lib/attention/position/encoding. */
export const composeEncoding = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  z.strictObject({ type: z.literal('rope'), ...rope }),
  z.strictObject({
    type: z.literal('xpos'),
    ...rope,
    gamma: z.number().min(0.01).max(10).default(0.4),
    /** Positions over which a pair changes by its zeta. */
    scaleBase: z.number().min(16).max(1e6).default(512),
  }),
  /** Slopes 2^(-8 i / heads). */
  z.strictObject({ type: z.literal('alibi') }),
]);
export type ComposeEncoding = z.output<typeof composeEncoding>;
