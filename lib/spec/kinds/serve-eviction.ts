import '../zod-config';
import * as z from 'zod';

const count = (low: number, high: number, fallback: number) =>
  z.int().min(low).max(high).default(fallback);

const pinLimits = {
  /** Above this share of memory in use pins get shorter, and above the next there are none. */
  shrinkAbove: z.number().min(0).max(1).default(0.7),
  releaseAbove: z.number().min(0).max(1).default(0.9),
};

/** Which cached block makes room first; only blocks that nothing cached follows can go. */
export const evictionPart = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('lru') }),
  /** Least often used. */
  z.strictObject({ type: z.literal('lfu') }),
  z.strictObject({ type: z.literal('fifo') }),
  /** Greedy-dual by uses and the time to compute a block again. */
  z.strictObject({ type: z.literal('gdsf') }),
  /** The KV of a turn whose program goes on is pinned for so long; the rest goes by lru. */
  z.strictObject({ type: z.literal('ttl'), seconds: z.number().min(0).max(1e6).default(2) }),
  /** The same for the time that pays best by the gaps seen so far (Continuum). */
  z.strictObject({
    type: z.literal('utility-ttl'),
    /** How much of the queueing delay a pinned turn is held to save: 1 all of it, 0 none. */
    delayWeight: z.number().min(0).max(1).default(1),
    /** Pinned for so long until enough gaps have been seen. */
    coldStartSeconds: z.number().min(0).max(1e6).default(2),
  }),
  /** Least recently used, whatever follows: the first blocks of a sequence go first, and the rest is of no use. */
  z.strictObject({ type: z.literal('lru-heads') }),
  /** Pinned for a quantile of the gaps seen of the tool that the turn called; the rest goes by lru. */
  z.strictObject({
    type: z.literal('tool-ttl'),
    quantile: z.number().min(0.01).max(0.99).default(0.95),
    /** Pinned for so long until enough gaps of a tool have been seen. */
    coldStartSeconds: z.number().min(0).max(1e6).default(2),
    ...pinLimits,
  }),
  /**
   * The session with the largest weighted sum of age, of the chance not to be back soon, and of size,
   * each from 0 to 1 (SAGA's WA-LRU). The chance comes of the gaps of the tool that was called.
   */
  z.strictObject({
    type: z.literal('workflow-lru'),
    ageWeight: z.number().min(0).max(1).default(0.2),
    reuseWeight: z.number().min(0).max(1).default(0.6),
    sizeWeight: z.number().min(0).max(1).default(0.2),
    /** What counts as soon. */
    soonSeconds: z.number().min(0.001).max(1e6).default(10),
    /** Gaps of a tool that must have been seen; until then the chance is a half. */
    coldGaps: count(0, 100_000, 30),
    /** Pinned besides for that quantile of the gaps of the tool; 0 for no pins. */
    pinQuantile: z.number().min(0).max(0.99).default(0),
    ...pinLimits,
  }),
  /** The block that is needed last, or never: an oracle over the order of arrivals. */
  z.strictObject({ type: z.literal('belady') }),
]);
export type EvictionPart = z.output<typeof evictionPart>;
