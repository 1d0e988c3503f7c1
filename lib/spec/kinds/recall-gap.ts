import '../zod-config';
import * as z from 'zod';

/** The shipped siblings, by the folder that holds them. */
export const SIBLING_NAMES = ['softmax', 'linear', 'gated-delta', 'window-hybrid'] as const;
export type SiblingName = (typeof SIBLING_NAMES)[number];

const MAX_POINTS = 16;

/** Models that differ in their token mixer alone, asked for more and more pairs (Arora et al., 2023). */
export const recallGapParams = z.strictObject({
  models: z
    .array(z.enum(SIBLING_NAMES))
    .min(1)
    .max(SIBLING_NAMES.length)
    .default([...SIBLING_NAMES]),
  /** Key-value pairs of a context, one point of the curve each. */
  pairs: z.array(z.int().min(2).max(64)).min(1).max(MAX_POINTS).default([2, 4, 8, 16, 32, 48, 64]),
  /** Contexts drawn per point. */
  samples: z.int().min(1).max(500).default(20),
  /** Keys asked after one context, each with the true answers before it in sight. */
  questions: z.int().min(1).max(32).default(8),
  /** `first` puts the keys that will be asked before the pairs as well. */
  order: z.enum(['last', 'first']).default('last'),
  /** Also runs the same samples with the context twice: JRT's prompt (Arora et al., 2024). */
  readTwice: z.boolean().default(false),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(7),
});
export type RecallGapParams = z.output<typeof recallGapParams>;
