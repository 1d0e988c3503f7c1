import '../zod-config';
import * as z from 'zod';
import { encodePart } from './serve-encode';
import { evictionPart } from './serve-eviction';
import { kvAllocPart, preemptionPart } from './serve-preemption';
import { priorityPart } from './serve-priority';
import { rejectionPart } from './serve-rejection';

export type { EvictionPart } from './serve-eviction';
export type { KvAllocPart, PreemptionPart } from './serve-preemption';
export type { PriorityPart } from './serve-priority';
export type { RejectionPart } from './serve-rejection';

const count = (low: number, high: number, fallback: number) =>
  z.int().min(low).max(high).default(fallback);
const seed = z
  .int()
  .min(0)
  .max(2 ** 31 - 1)
  .default(1);

/** Which replica a request goes to when it arrives. */
export const routerPart = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('round-robin') }),
  /** Fewest unfinished requests; the lowest index on a tie. */
  z.strictObject({ type: z.literal('least-outstanding') }),
  /** Fewest prompt and output tokens not yet finished (JSQ over tokens); needs true output lengths. */
  z.strictObject({ type: z.literal('least-tokens') }),
  z.strictObject({ type: z.literal('random'), seed }),
  /** The better of two replicas drawn at random, by unfinished requests (Mitzenmacher, 2001). */
  z.strictObject({ type: z.literal('power-of-two'), seed }),
  /** Every request of one client goes to one replica. */
  z.strictObject({ type: z.literal('session-affine') }),
  /** Where most of the prompt is cached, unless loads are too far apart (SGLang's cache-aware router). */
  z.strictObject({
    type: z.literal('prefix-affinity'),
    /** Share of the prompt that must be cached; below it, the replica with the most free memory. */
    matchThreshold: z.number().min(0).max(1).default(0.5),
    /** Unfinished requests: most less least above this, and most above ratio x least, is unbalanced. */
    balanceDifference: count(0, 100_000, 32),
    balanceRatio: z.number().min(1).max(100).default(1.0001),
  }),
  /** Least estimated time to the first token: what is queued, and the prompt less what is cached. */
  z.strictObject({ type: z.literal('least-ttft') }),
  /** Any replica with a short enough queue; where there is none, the request waits outside and asks again. */
  z.strictObject({
    type: z.literal('reject-retry'),
    maxWaiting: count(1, 100_000, 4),
    retryMilliseconds: z.number().min(0.1).max(60_000).default(10),
    /** Refused when it has waited outside for so long. */
    timeoutSeconds: z.number().min(0).max(1e6).default(60),
    seed,
  }),
  /**
   * Where the session's last turn ran, unless that replica is too loaded; then, and for a session that
   * has none, the least loaded (SAGA). A replica that has nothing to do takes the first request that
   * waits at the most loaded one, with its session's KV where moving that is faster than computing it.
   */
  z.strictObject({
    type: z.literal('affinity-steal'),
    /** Unfinished requests of a replica; from so many on a session goes elsewhere. */
    mostLoad: count(1, 100_000, 16),
    /** Loads are as they were when they were last looked at. */
    refreshMilliseconds: z.number().min(0).max(60_000).default(100),
    /** Most over least load, idle counting as one, above which idle replicas take; 0 for never. */
    stealRatio: z.number().min(0).max(1000).default(2),
    /** Of KV that moves. */
    linkGigabytesPerSecond: z.number().min(0.001).max(10_000).default(25),
  }),
]);
export type RouterPart = z.output<typeof routerPart>;

/** Degrees of the prefill and of the decode replicas; 0 takes the cell's. */
export const poolDegrees = {
  prefillTensorParallel: count(0, 16, 0),
  prefillPipelineParallel: count(0, 16, 0),
  decodeTensorParallel: count(0, 16, 0),
  decodePipelineParallel: count(0, 16, 0),
};

/** When a decode replica takes over a request whose prefill has ended. */
export const pullPart = z.discriminatedUnion('type', [
  /** As soon as its own admission has room. */
  z.strictObject({ type: z.literal('admission') }),
  /**
   * While the blocks of those on their way stay under a share of all its blocks (DistServe). The
   * admission's sequences then limit what decodes, and a prefill batch has a limit of its own.
   */
  z.strictObject({
    type: z.literal('threshold'),
    share: z.number().min(0).max(1).default(0.05),
    maxPrefillSequences: count(1, 8192, 128),
  }),
]);
export type PullPart = z.output<typeof pullPart>;

/** Replicas, and which phases each of them runs. */
export const topologyPart = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('colocated'), replicas: count(1, 256, 1) }),
  /** Prefill and decode apart; the KV cache moves over one ingress link per decode replica. */
  z.strictObject({
    type: z.literal('pools'),
    prefillReplicas: count(1, 64, 1),
    decodeReplicas: count(1, 64, 1),
    linkGigabytesPerSecond: z.number().min(0.001).max(10_000).default(25),
    linkLatencyMicroseconds: z.number().min(0).max(1e6).default(10),
    /** Share of the transfer hidden behind the prefill that makes the KV: 0 sends when it has ended. */
    overlap: z.number().min(0).max(1).default(0),
    pull: pullPart.prefault({ type: 'admission' }),
    ...poolDegrees,
  }),
]);
export type TopologyPart = z.output<typeof topologyPart>;

/** Whether the first waiting request may enter a replica now. */
export const admissionPart = z.discriminatedUnion('type', [
  /** Its blocks fit, and `memory.watermark` of all blocks stay free. */
  z.strictObject({ type: z.literal('watermark'), maxSequences: count(1, 8192, 128) }),
  /** Its blocks fit. */
  z.strictObject({ type: z.literal('fits'), maxSequences: count(1, 8192, 128) }),
  /** Every request counts as `maxTokens` long for as long as it is there. */
  z.strictObject({
    type: z.literal('reserve-max'),
    maxSequences: count(1, 8192, 128),
    maxTokens: count(1, 2_000_000, 4096),
  }),
  /** Every request counts with its prompt and its whole output; needs true output lengths. */
  z.strictObject({ type: z.literal('whole-request'), maxSequences: count(1, 8192, 128) }),
  /** The largest use at any future iteration stays under the memory; needs true output lengths. */
  z.strictObject({ type: z.literal('future-peak'), maxSequences: count(1, 8192, 128) }),
]);
export type AdmissionPart = z.output<typeof admissionPart>;

/** Which phases may share an iteration, and how many tokens it may have. */
export const batchFormerPart = z.discriminatedUnion('type', [
  /** Waiting prompts first, alone; running requests decode when none can enter. */
  z.strictObject({
    type: z.literal('prefill-first'),
    maxBatchedTokens: count(1, 1_000_000, 4096),
    /** What is held against the limit: every prompt as long as the longest, or the sum. */
    counting: z.enum(['padded', 'sum']).default('padded'),
    /** Decode iterations between two looks at the queue; 0 looks every time. */
    patience: count(0, 10_000, 0),
  }),
  /** Every running request decodes, and prompts fill the token budget beside them. */
  z.strictObject({ type: z.literal('decode-first'), tokenBudget: count(1, 1_000_000, 512) }),
  /** Every running request decodes, and whole prompts join as long as requests may enter. */
  z.strictObject({ type: z.literal('iteration-level') }),
  /**
   * As decode-first; who is inside is chosen again every so many iterations (JITServe's GMAX): of those
   * worth at least a share of the one that would just get a seat, by prompt length, the seats go to the
   * neighbours of the largest sum.
   */
  z.strictObject({
    type: z.literal('length-window'),
    tokenBudget: count(1, 1_000_000, 2048),
    /** Of the worth of the last one that would have a seat by worth alone; 1 keeps no other. */
    candidateShare: z.number().min(0).max(1).default(0.95),
  }),
  /** A batch runs to its last request before another one is formed. */
  z.strictObject({ type: z.literal('static') }),
]);
export type BatchFormerPart = z.output<typeof batchFormerPart>;

/** How much of one prompt goes into one iteration. */
export const chunkerPart = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('whole') }),
  /** What the token budget leaves. */
  z.strictObject({ type: z.literal('budget') }),
  /** The same, and at most so many tokens of one prompt. */
  z.strictObject({ type: z.literal('fixed'), chunkTokens: count(1, 1_000_000, 512) }),
  /** Whole prompts, a set of them one group of layers an iteration (layered prefill). */
  z.strictObject({
    type: z.literal('layer-group'),
    /** Prompt tokens of a set; what a longer prompt has left is the next set. */
    maxTokens: count(1, 1_000_000, 8192),
  }),
]);
export type ChunkerPart = z.output<typeof chunkerPart>;

/** Whose KV is found again when another request begins with the same tokens. */
export const prefixIndexPart = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  /** Full blocks by a hash of their tokens and of all before them (vLLM). */
  z.strictObject({ type: z.literal('block-hash') }),
  /** A tree of token sequences: a match may end within a block, which is copied (SGLang). */
  z.strictObject({ type: z.literal('radix') }),
  /** Chunks wherever they stand in a prompt: reused KV is copied and repaired (RAG). */
  z.strictObject({
    type: z.literal('chunk'),
    /** Tokens of a chunk, where the workload has token ids; else what one of its hashes stands for. */
    chunkTokens: count(1, 1_000_000, 512),
  }),
]);
export type PrefixIndexPart = z.output<typeof prefixIndexPart>;

/**
 * What must be computed of KV that was made behind other tokens. What the repair does to the quality
 * of the answers is not simulated.
 */
export const reuseRepairPart = z.discriminatedUnion('type', [
  /** Nothing: what is reused is exact. */
  z.strictObject({ type: z.literal('exact') }),
  /** So large a share of the reused tokens (CacheBlend); the first chunk of a prompt needs none. */
  z.strictObject({ type: z.literal('fraction'), fraction: z.number().min(0).max(1).default(0.15) }),
  /**
   * Per chunk, alpha x (1 - overlap) x impact of its tokens (Cache-Craft), overlap being the share of
   * the chunks before it, when it was made, that precede it now; above the threshold it is computed
   * whole and kept as another version.
   */
  z.strictObject({
    type: z.literal('per-chunk'),
    alpha: z.number().min(0).max(10).default(1),
    contextImpact: z.number().min(0).max(1).default(0.3),
    threshold: z.number().min(0).max(1).default(0.5),
    versions: count(1, 64, 4),
  }),
]);
export type ReuseRepairPart = z.output<typeof reuseRepairPart>;

/** A level of storage below accelerator memory. */
export const tierLevel = z.strictObject({
  name: z.string().min(1).max(20).default('host'),
  /** One for each replica, or one for all of them. */
  scope: z.enum(['replica', 'shared']).default('replica'),
  capacityGigabytes: z.number().min(0).max(1e6).default(64),
  readGigabytesPerSecond: z.number().min(0.001).max(10_000).default(25),
  writeGigabytesPerSecond: z.number().min(0.001).max(10_000).default(25),
  latencyMicroseconds: z.number().min(0).max(1e6).default(10),
  /** Overhead of an operation, and the tokens that one moves at most. */
  operationMicroseconds: z.number().min(0).max(1e6).default(0),
  operationTokens: count(1, 1_000_000, 256),
  /** Stored and moved bytes over those in memory: below 1 for a codec. */
  bytesRatio: z.number().min(0.01).max(1).default(1),
  /** Time to decode, per GB as it is in memory. */
  decodeSecondsPerGigabyte: z.number().min(0).max(1000).default(0),
});
export type TierLevel = z.output<typeof tierLevel>;

/** Where the KV of evicted blocks goes, and when it comes back. */
export const tierStorePart = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  z.strictObject({
    type: z.literal('tiers'),
    /** From the fastest down; what one evicts goes to the next. */
    levels: z.array(tierLevel).min(1).max(4).prefault([{}]),
    /** Whether stored KV is always loaded, or only where that is estimated to be faster. */
    load: z.enum(['always', 'cheaper']).default('cheaper'),
    /** Loaded before the prefill, or layer by layer beside it. */
    overlap: z.enum(['none', 'layer-wise']).default('none'),
    /** Written when memory evicts it, or as soon as it is made. */
    write: z.enum(['on-eviction', 'through']).default('on-eviction'),
  }),
]);
export type TierStorePart = z.output<typeof tierStorePart>;

const smShare = (fallback: number) => z.number().min(0.01).max(1).default(fallback);
/** How speed depends on a share of the multiprocessors: assumptions, not measurements. */
const curves = {
  /** Share from which decodes gain nothing more. */
  decodeSaturation: smShare(0.45),
  /** Memory speed that is left to a phase while the other one runs. */
  contention: smShare(0.85),
};

/** Whether prompts and decodes of one replica run at the same time, and how they share its SMs. */
export const partitionPart = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  /** Fixed limits, which may sum to more than 1 (MPS): then both yield in proportion. */
  z.strictObject({
    type: z.literal('static'),
    prefillShare: smShare(0.8),
    decodeShare: smShare(1),
    ...curves,
  }),
  /** Every window a step goes to the phase that is late, where only one is (semi-PD); not for want of memory. */
  z.strictObject({
    type: z.literal('slo-feedback'),
    /** At the start; decodes have the rest. */
    prefillShare: smShare(0.5),
    windowSeconds: z.number().min(0.001).max(3600).default(1),
    step: z.number().min(0.01).max(0.5).default(0.1),
    ttftSeconds: z.number().min(0.001).max(3600).default(1),
    tbtSeconds: z.number().min(0.001).max(60).default(0.06),
    ...curves,
  }),
  /**
   * From predicted times, at every iteration (Nexus): prompts as fast as decodes allow while less
   * than `switchThreshold` of the KV blocks are used, then the other way round.
   */
  z.strictObject({
    type: z.literal('model-driven'),
    /** Shares must move by more than that. */
    hysteresis: z.number().min(0).max(1).default(0.1),
    switchThreshold: z.number().min(0).max(1).default(0.7),
    /** Most time of the phase that yields, over its best. */
    slack: z.number().min(1).max(100).default(1.2),
    ...curves,
  }),
]);
export type PartitionPart = z.output<typeof partitionPart>;

/** A strategy put together from parts. */
export const composedStrategy = z.strictObject({
  type: z.literal('composed'),
  /** Shown on the timeline's lanes. */
  name: z.string().min(1).max(40).default('composed'),
  topology: topologyPart.prefault({ type: 'colocated' }),
  router: routerPart.prefault({ type: 'least-outstanding' }),
  priority: priorityPart.prefault({ type: 'fcfs' }),
  admission: admissionPart.prefault({ type: 'watermark' }),
  batchFormer: batchFormerPart.prefault({ type: 'decode-first' }),
  chunker: chunkerPart.prefault({ type: 'budget' }),
  preemption: preemptionPart.prefault({ type: 'recompute' }),
  kvAlloc: kvAllocPart.prefault({ type: 'paged' }),
  prefixIndex: prefixIndexPart.prefault({ type: 'none' }),
  eviction: evictionPart.prefault({ type: 'lru' }),
  reuseRepair: reuseRepairPart.prefault({ type: 'exact' }),
  tierStore: tierStorePart.prefault({ type: 'none' }),
  rejection: rejectionPart.prefault({ type: 'none' }),
  partition: partitionPart.prefault({ type: 'none' }),
  encode: encodePart.prefault({ type: 'none' }),
});
export type ComposedStrategy = z.output<typeof composedStrategy>;
