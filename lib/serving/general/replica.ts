import { createIdQueue, type IdQueue } from '../core/id-queue';
import type { Pipeline } from '../engine/pipeline';
import { createRunLog, type RunLog } from '../engine/run-log';
import type { InstanceView } from '../parts/views';
import type { WaitingQueue } from '../parts/waiting-queue';
import type { CostModel, LaneRole } from '../types';
import type { BlockCache } from './block-cache';
import type { BlockRuns } from './block-runs';
import type { LayerPass } from './layer-pass';
import type { PausableJob } from './pausing';
import type { PhaseProgress } from './phase-pair';

/** Blocks of an accelerator; two lanes that run on it at once have one of these. */
export interface SharedMemory {
  blocksUsed: number;
  committedBlocks: number;
  holders: number;
}

/** One model instance, everything about it said plainly: lists of request ids, one iteration at a time. */
export interface Replica extends InstanceView {
  readonly role: LaneRole;
  readonly queue: WaitingQueue;
  readonly costModel: CostModel;
  /** Stages that its iterations pass, shared with the other micro-batches of its replica. */
  readonly pipeline: Pipeline | undefined;
  /** Finished requests' KV that is kept, where the strategy has a prefix index. */
  readonly cache: BlockCache | undefined;
  /** Where blocks lie, where copies depend on it. */
  readonly runs: BlockRuns | undefined;
  blocksUsed: number;
  committedBlocks: number;
  holders: number;
  waited: number;
  outstanding: number;
  outstandingTokens: number;
  /** Estimated time to compute the prompts that wait. */
  queuedSeconds: number;
  readonly swapped: IdQueue;
  /** Finished requests whose blocks return with the whole batch. */
  readonly heldBack: number[];

  /** Requests that decode, victims last. */
  readonly decoding: number[];
  /** Prompts under way that got no tokens in the last iteration, and those that did. */
  front: number[];
  tail: number[];
  /** Requests that hold blocks and wait for cached KV to be loaded into them. */
  readonly loading: Set<number>;
  /** Those of them whose KV is there and that decode from the next iteration on. */
  readonly joining: number[];
  /** Decode iterations done. */
  step: number;
  /** Sum over `decoding` of the tokens processed, the one being fed included. */
  contextTokens: number;

  /** The iteration being formed or in flight. */
  readonly chunkIds: number[];
  readonly chunkTokens: number[];
  hasDecodes: boolean;
  queueAtStart: number;
  /** Time of copies to the host and back that the iteration is held up by. */
  copySeconds: number;
  /** The same of copies that began outside of an iteration's making. */
  owedSeconds: number;
  /** A set of prompts on its way through the groups of layers. */
  layerPass: LayerPass | undefined;
  /** The prefill in flight, and those that were stopped, where prefills can be. */
  job: PausableJob | undefined;
  readonly paused: PausableJob[];
  /** The iteration in flight ends before its prompts do. */
  isCut: boolean;
  /** Something came while it was busy that may be more urgent. */
  isAsked: boolean;
  /** Of the iteration in flight, where another phase runs beside it. */
  progress: PhaseProgress | undefined;
  /** Cached KV that streams in while the iteration computes: it ends no earlier than that. */
  loadedAtSeconds: number;
  isBusy: boolean;
  startSeconds: number;
  endSeconds: number;
  isDirty: boolean;
  readonly log: RunLog;
}

export interface ReplicaOptions {
  readonly role: LaneRole;
  readonly queue: WaitingQueue;
  readonly cache: BlockCache | undefined;
  readonly costModel: CostModel;
  readonly pipeline: Pipeline | undefined;
  readonly blockTokens: number;
  readonly blocksTotal: number;
  readonly watermarkBlocks: number;
  readonly runs?: BlockRuns | undefined;
  /** Shared with another lane of the same accelerator; its own by default. */
  readonly memory?: SharedMemory;
}

export function createReplica(
  index: number,
  { memory = { blocksUsed: 0, committedBlocks: 0, holders: 0 }, ...options }: ReplicaOptions,
): Replica {
  const decoding: number[] = [];
  const replica: Replica = {
    index,
    ...options,
    get blocksUsed() {
      return memory.blocksUsed;
    },
    set blocksUsed(blocks) {
      memory.blocksUsed = blocks;
    },
    get committedBlocks() {
      return memory.committedBlocks;
    },
    set committedBlocks(blocks) {
      memory.committedBlocks = blocks;
    },
    get holders() {
      return memory.holders;
    },
    set holders(count) {
      memory.holders = count;
    },
    waited: 0,
    outstanding: 0,
    outstandingTokens: 0,
    queuedSeconds: 0,
    swapped: createIdQueue(),
    heldBack: [],
    decoding,
    front: [],
    tail: [],
    loading: new Set(),
    joining: [],
    get decodingCount() {
      return decoding.length;
    },
    get prefillingCount() {
      return replica.front.length + replica.tail.length;
    },
    get keptBlocks() {
      return replica.blocksUsed + (options.cache?.cachedBlocks ?? 0);
    },
    step: 0,
    contextTokens: 0,
    chunkIds: [],
    chunkTokens: [],
    hasDecodes: false,
    queueAtStart: 0,
    copySeconds: 0,
    owedSeconds: 0,
    runs: options.runs,
    layerPass: undefined,
    job: undefined,
    paused: [],
    isCut: false,
    isAsked: false,
    progress: undefined,
    loadedAtSeconds: -Infinity,
    isBusy: false,
    startSeconds: 0,
    endSeconds: Infinity,
    isDirty: false,
    log: createRunLog(),
  };
  return replica;
}
