import '../zod-config';
import * as z from 'zod';

const count = (low: number, high: number, fallback: number) =>
  z.int().min(low).max(high).default(fallback);

const victim = z.enum(['last-admitted', 'latest-arrival', 'lowest-priority']);

/** What happens when decoding runs out of KV blocks. */
export const preemptionPart = z.discriminatedUnion('type', [
  /** The victim's KV is dropped; prompt and output so far are computed again. */
  z.strictObject({
    type: z.literal('recompute'),
    victim: victim.default('latest-arrival'),
    /** A waiting request also takes the place of a running one of lower priority. */
    forPriority: z.boolean().default(false),
  }),
  /** The victim's KV goes to host memory and comes back; both copies hold up the iteration. */
  z.strictObject({
    type: z.literal('swap'),
    victim: victim.default('latest-arrival'),
    hostGigabytesPerSecond: z.number().min(0.001).max(10_000).default(25),
    /** A request outside also takes the place of one inside that comes after it in the order. */
    forPriority: z.boolean().default(false),
    /** Iterations between two looks at who is inside, where that is for priority. */
    everyIterations: count(1, 1_000_000, 1),
    /** Requests that lose their place in one look, at most. */
    mostSwaps: count(1, 8192, 8192),
    /** Only where what comes in, less the time of the copies, is worth more: needs priority "density". */
    costTest: z.boolean().default(false),
    /** Time to issue one copy: keys and values of a layer, of blocks that lie together. */
    callMicroseconds: z.number().min(0).max(10_000).default(0),
    /** Copies hold up iterations, or run beside them: who comes back joins when its KV is there. */
    overlap: z.enum(['none', 'asynchronous']).default('none'),
    /** The copy in host memory stays when KV comes back, so that only what is new goes out again. */
    keepsCopy: z.boolean().default(false),
    /** Where KV goes when a turn ends whose program goes on: nowhere, or to host memory. */
    betweenTurns: z.enum(['drop', 'host']).default('drop'),
    /** Host memory of a replica for that; 0 for no limit. */
    hostGigabytes: z.number().min(0).max(1e6).default(0),
  }),
  /** Never: only with an admission that reserves. */
  z.strictObject({ type: z.literal('none') }),
  /**
   * A prefill pool: a prompt that is more urgent stops the one that runs at the end of an operator,
   * which keeps its memory and its progress. Decoding recomputes, the latest arrival first.
   */
  z.strictObject({
    type: z.literal('pause-at-operator'),
    /** Longest time until the signal to pause is heard. */
    operatorMilliseconds: z.number().min(0.001).max(10_000).default(4),
  }),
]);
export type PreemptionPart = z.output<typeof preemptionPart>;

/** How a request's tokens take blocks. */
export const kvAllocPart = z.discriminatedUnion('type', [
  /** Blocks of the prompt on entry, one more whenever a token does not fit. */
  z.strictObject({ type: z.literal('paged') }),
  /**
   * The same blocks in runs that lie together: a request that needs one takes the place after its last,
   * and up to so many places are left free for it while there are others (FastSwitch).
   */
  z.strictObject({ type: z.literal('block-group'), groupBlocks: count(1, 10_000, 60) }),
  /** Blocks for `maxTokens` on entry, used or not. */
  z.strictObject({ type: z.literal('contiguous-max'), maxTokens: count(1, 2_000_000, 4096) }),
]);
export type KvAllocPart = z.output<typeof kvAllocPart>;
