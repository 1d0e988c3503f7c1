import '../zod-config';
import * as z from 'zod';
import { cachePolicy } from '../cache-policy';
import { modelEngine } from './model';

/** Names of registries outside the document; the cell says which are known when one is not. */
const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,47}$/, {
  error: 'expected up to 48 of a-z, 0-9 and -',
});

const share = z.number().min(0.005).max(1);

/** What one run keeps of a context: a preset at a share of its slots, or a policy part by part. */
export const cacheEntry = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('preset'),
    id: name,
    share: share.default(0.25),
    /**
     * For presets with classes of heads: gates measured as retrieval on so many other contexts,
     * instead of by the preset's own classifier.
     */
    gates: z
      .strictObject({ type: z.literal('fitted'), samples: z.int().min(1).max(64).default(8) })
      .optional(),
  }),
  z.strictObject({
    type: z.literal('composed'),
    label: z.string().min(1).max(40),
    policy: cachePolicy,
  }),
]);
export type CacheEntry = z.output<typeof cacheEntry>;

export const PROTOCOLS = ['known', 'hidden', 'turns'] as const;

export const MAX_ENTRIES = 16;

/**
 * Cache policies side by side on one task: what the model still answers, what each byte buys, and
 * what every slot became.
 */
export const cacheParams = z.strictObject({
  entries: z
    .array(cacheEntry)
    .min(1)
    .max(MAX_ENTRIES)
    .default([
      { type: 'preset', id: 'full', share: 1 },
      { type: 'preset', id: 'streaming-llm', share: 0.25 },
      { type: 'preset', id: 'h2o', share: 0.25 },
      { type: 'preset', id: 'snapkv', share: 0.25 },
    ]),
  task: name.default('niah-multi-key-1'),
  contextTokens: z.int().min(32).max(4096).default(256),
  /** Contexts that are drawn; a context may have several questions. */
  samples: z.int().min(1).max(2000).default(20),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(7),
  /** What computes the model; `auto`, and nothing given, is what the connected model cell says. */
  engine: modelEngine.removeDefault().optional(),
  /** In sight of the policy when it compresses, after that, or the 2nd to 5th on the same cache. */
  protocol: z.enum(PROTOCOLS).default('hidden'),
  /** Which sample the pictures of slots show. */
  look: z.strictObject({ sample: z.int().min(0).max(1999).default(0) }).prefault({}),
});
export type CacheParams = z.output<typeof cacheParams>;
