import { createIdQueue, type IdQueue } from '../core/id-queue';
import type { WaitingQueue } from '../parts/waiting-queue';
import type { CostModel, LaneRole } from '../types';
import type { Pipeline } from './pipeline';
import { createRunLog, type RunLog } from './run-log';
import { createStallStack, type StallStack } from './stall-stack';

/**
 * One model instance. Requests that decode are kept as a set whose members advance together, so an
 * iteration touches what changes and not its whole batch: of each member only `base` is stored, and
 * its processed tokens are `base + step`.
 */
export interface Instance {
  readonly index: number;
  readonly role: LaneRole;
  readonly queue: WaitingQueue;
  readonly blockTokens: number;
  readonly blocksTotal: number;
  readonly watermarkBlocks: number;
  readonly costModel: CostModel;
  /** Stages that it shares with the other micro-batches of its replica; undefined without any. */
  readonly pipeline: Pipeline | undefined;
  /** Most requests that hold blocks here, and most in one batch. */
  readonly seats: number;
  readonly batchSeats: number;
  blocksUsed: number;
  committedBlocks: number;
  /** Requests that hold blocks. */
  holders: number;
  /** Finished requests whose blocks return with the whole batch. */
  readonly heldBack: { requests: number; blocks: number; committed: number };

  /** The set that decodes, victims last. */
  decoding: Int32Array;
  decodingCount: number;
  /** Decode iterations done. */
  step: number;
  /** Members that joined with the block of their next token, as long as `step` is `prepaidStep`. */
  prepaidCount: number;
  prepaidStep: number;
  /** Sum over the set of the tokens processed, the one being fed included. */
  contextTokens: number;
  /** Members that take a new block at a step, by step modulo block size. */
  readonly growth: Int32Array;
  /** Ends of members: a heap by step, with entries of members that left early still in it. */
  endSteps: Int32Array;
  endIds: Int32Array;
  endCount: number;
  /** End of the last iteration in which the set decoded. */
  lastStepEndSeconds: number;
  /** Members that emitted after that, outside of a decode iteration. */
  joiners: Int32Array;
  joinerCount: number;
  readonly stalls: StallStack;

  /** Prompts under way: the first `prefillingFront` precede the decoding ones, the others follow them. */
  prefilling: Int32Array;
  prefillingCount: number;
  prefillingFront: number;
  /** Preempted to host memory. */
  readonly swapped: IdQueue;

  /** The iteration in flight: its prompts, whether the set decodes, and how often it is repeated. */
  chunkIds: Int32Array;
  chunkTokens: Int32Array;
  chunkCount: number;
  hasDecodes: boolean;
  queueAtStart: number;
  /** Blocks in use when the run began: transfers move them while it is under way. */
  usedAtStart: number;
  /** Copies between device and host that hold the iteration up. */
  copyBytes: number;
  isBusy: boolean;
  startSeconds: number;
  endSeconds: number;
  runIterations: number;
  runFirstSeconds: number;
  /** Each iteration of the run takes so much longer than the one before. */
  runSlopeSeconds: number;

  waited: number;
  outstanding: number;
  outstandingTokens: number;
  isDirty: boolean;
  readonly log: RunLog;
}

export type InstanceOptions = Pick<
  Instance,
  | 'role'
  | 'queue'
  | 'blockTokens'
  | 'blocksTotal'
  | 'watermarkBlocks'
  | 'costModel'
  | 'pipeline'
  | 'seats'
  | 'batchSeats'
>;

export function createInstance(index: number, options: InstanceOptions): Instance {
  return {
    index,
    ...options,
    blocksUsed: 0,
    committedBlocks: 0,
    holders: 0,
    heldBack: { requests: 0, blocks: 0, committed: 0 },
    decoding: new Int32Array(64),
    decodingCount: 0,
    step: 0,
    prepaidCount: 0,
    prepaidStep: -1,
    contextTokens: 0,
    growth: new Int32Array(options.blockTokens),
    endSteps: new Int32Array(64),
    endIds: new Int32Array(64),
    endCount: 0,
    lastStepEndSeconds: Number.NaN,
    joiners: new Int32Array(64),
    joinerCount: 0,
    stalls: createStallStack(),
    prefilling: new Int32Array(64),
    prefillingCount: 0,
    prefillingFront: 0,
    swapped: createIdQueue(),
    chunkIds: new Int32Array(64),
    chunkTokens: new Int32Array(64),
    chunkCount: 0,
    hasDecodes: false,
    queueAtStart: 0,
    usedAtStart: 0,
    copyBytes: 0,
    isBusy: false,
    startSeconds: 0,
    endSeconds: Infinity,
    runIterations: 0,
    runFirstSeconds: 0,
    runSlopeSeconds: 0,
    waited: 0,
    outstanding: 0,
    outstandingTokens: 0,
    isDirty: false,
    log: createRunLog(),
  };
}

/** The column, doubled when `count` fills it. */
export function withRoom(column: Int32Array, count: number): Int32Array {
  if (count < column.length) return column;
  const larger = new Int32Array(column.length * 2);
  larger.set(column);
  return larger;
}
