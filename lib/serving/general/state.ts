import type { Requests } from '../core/requests';
import { createGapRuns, type GapRuns } from '../engine/gap-runs';
import type { Admission } from '../parts/admission';
import type { BatchFormer } from '../parts/batch-former';
import type { Chunker } from '../parts/chunker';
import type { KvAlloc } from '../parts/kv-alloc';
import type { Preemption } from '../parts/preemption';
import type { Priority } from '../parts/priority';
import type { RequestTracer } from '../trace/tracer';
import type { HostSwap } from './host-swap';
import type { Replica } from './replica';
import type { Seating } from './seating';
import type { ToldRead } from './tell-tracer';

/** The parts of a strategy, as functions. */
export interface Parts {
  readonly former: (replica: Replica) => BatchFormer;
  readonly chunker: Chunker;
  readonly admission: Admission;
  readonly priority: Priority;
  readonly preemption: Preemption;
  readonly alloc: KvAlloc;
  /** Prompt tokens of a set that goes through the layers in groups; undefined where none does. */
  readonly layerTokens: number | undefined;
  /** Whether two phases run on an accelerator at once. */
  readonly isPartitioned: boolean;
  /** Time of the images of a request in the iteration in which its prompt begins. */
  readonly inlineSeconds: ((id: number) => number) | undefined;
  /** Longest time until a prefill that is told to pause has done so; undefined where none is. */
  readonly pauseSeconds: number | undefined;
}

/** What happens around a replica; the event loop ties it to the fleet, the programs and the cache. */
export interface Hooks {
  /** A request has been sent and is about to be given to a replica. */
  onSent: (id: number) => void;
  /** It was sent, and no replica took it. */
  onDropped: (id: number) => void;
  /** Estimated time to compute the prompt of a request that joins a queue; 0 where nobody asks. */
  queueCost: (replica: Replica, id: number) => number;
  /** A prefill has emitted a token and is not complete; true when the request leaves this replica. */
  onPrefilled: (replica: Replica, id: number) => boolean;
  /** A preempted request must be computed again: where it waits. */
  onPreempted: (replica: Replica, id: number) => void;
  /** A request is complete; it still holds its blocks. */
  onCompleted: (replica: Replica, id: number) => void;
  /** Whether its blocks stay held after it is complete; whoever says so returns them later. */
  keepsBlocks: (replica: Replica, id: number) => boolean;
  /** Finished requests whose blocks stay held on a replica. */
  pinnedAt: (replica: Replica) => number;
  /** A request that waits is given up. */
  onGivenUp: (id: number) => void;
  /** A request has been sent: whether its images must be encoded first. */
  encodes: (id: number) => boolean;
  /** They are. */
  onEncoded: (id: number) => void;
  /** A request is refused, for whatever reason. */
  onRefused: (id: number) => void;
  /** The first of the queue has no place and nothing runs: whether something was given up for it. */
  yieldsTo: (replica: Replica, id: number) => boolean;
  /** A waiting request would have `tokens` in the iteration being formed: whether it had better wait. */
  staysOut: (replica: Replica, id: number, tokens: number) => boolean;
  /** A request has entered with `hitTokens` of its KV in its blocks: when more of it has arrived. */
  onEntered: (replica: Replica, id: number) => EntryLoad | undefined;
}

/** Cached KV under way to a request that has just entered. */
export interface EntryLoad {
  /** Processed tokens once it is there. */
  readonly processedTokens: number;
  /** When that is, if the prefill may overlap it; undefined where the request waits for it. */
  readonly overlapsUntilSeconds: number | undefined;
  /** Tokens of reused chunks among the rest, which are computed again. */
  readonly repairTokens: number;
  readonly reads: readonly ToldRead[];
}

/** What a copy of KV, taken as it was, has to repair and to read from a store: nothing. */
export const COPIED_AS_IT_WAS: Pick<EntryLoad, 'repairTokens' | 'reads'> = {
  repairTokens: 0,
  reads: [],
};

/** A replica and the blocks of all requests, to be looked at and not kept. */
export interface Audited {
  readonly replica: Replica;
  readonly blocksHeld: Int32Array;
  readonly nowSeconds: number;
}

/** Everything that the functions of the engine share. */
export interface State {
  readonly requests: Requests;
  readonly parts: Parts;
  readonly hooks: Hooks;
  readonly gaps: GapRuns;
  readonly parity: boolean;
  readonly horizonSeconds: number;
  /** KV bytes of one token on one accelerator, each of which copies its own to the host. */
  readonly kvBytesPerToken: number;
  /** 1 for members of a replica's `decoding`. */
  readonly isDecoding: Uint8Array;
  /** Place among those that decode. */
  readonly rank: Float64Array;
  /** What each waiting request counts in `queuedSeconds` of its replica. */
  readonly queueCost: Float64Array;
  /** Prompt tokens found in a cache at the last entry of each request. */
  readonly hitTokens: Int32Array;
  /** Tokens that the completed requests of a request's program have had. */
  readonly programService: (id: number) => number;
  /** Called after every iteration is formed: for tests. */
  readonly audit: ((audited: Audited) => void) | undefined;
  /** Told what becomes of one request. */
  readonly trace: RequestTracer | undefined;
  /** Index of the stores' first lane among those of the result. */
  firstTierLane: number;
  /** Tokens that each request had when it last began to decode. */
  readonly joinedAt: Int32Array;
  /** Replica at which each request waits or runs; -1 for none. */
  readonly replicaOf: Int16Array;
  /** Where KV goes to host memory. */
  hostSwap: HostSwap | undefined;
  /** Where who is outside may take the place of who is inside. */
  seating: Seating | undefined;
  nowSeconds: number;
  /** KV tokens copied to hosts and back, and the time that iterations were held up by it. */
  movedTokens: number;
  copyStallSeconds: number;
  /** Requests waiting anywhere. */
  waiting: number;
  iterations: number;
  /** Rows kept in the logs so far. */
  logged: number;
  swaps: number;
  /** Prefills that were stopped to go on later. */
  pauses: number;
  preemptions: number;
  preemptionsSeen: number;
  /** Prefill tokens of all entries, and those of them that a cache had. */
  queriedTokens: number;
  reusedTokens: number;
}

export function createState(
  options: Pick<
    State,
    | 'requests'
    | 'parts'
    | 'parity'
    | 'horizonSeconds'
    | 'kvBytesPerToken'
    | 'audit'
    | 'programService'
    | 'trace'
  >,
): State {
  const { count } = options.requests;
  return {
    ...options,
    hooks: {
      onSent: () => undefined,
      onDropped: () => undefined,
      queueCost: () => 0,
      onPrefilled: () => false,
      onPreempted: () => undefined,
      onCompleted: () => undefined,
      keepsBlocks: () => false,
      pinnedAt: () => 0,
      onGivenUp: () => undefined,
      onRefused: () => undefined,
      encodes: () => false,
      onEncoded: () => undefined,
      yieldsTo: () => false,
      staysOut: () => false,
      onEntered: () => undefined,
    },
    gaps: createGapRuns(),
    isDecoding: new Uint8Array(count),
    rank: new Float64Array(count),
    queueCost: new Float64Array(count),
    hitTokens: new Int32Array(count),
    firstTierLane: 0,
    joinedAt: new Int32Array(count),
    replicaOf: new Int16Array(count).fill(-1),
    hostSwap: undefined,
    seating: undefined,
    nowSeconds: 0,
    movedTokens: 0,
    copyStallSeconds: 0,
    waiting: 0,
    iterations: 0,
    logged: 0,
    swaps: 0,
    pauses: 0,
    preemptions: 0,
    preemptionsSeen: 0,
    queriedTokens: 0,
    reusedTokens: 0,
  };
}
