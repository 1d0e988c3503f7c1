import type { Requests } from '../core/requests';
import type { Admission } from '../parts/admission';
import type { BatchFormer } from '../parts/batch-former';
import type { Chunker } from '../parts/chunker';
import type { KvAlloc } from '../parts/kv-alloc';
import type { Preemption } from '../parts/preemption';
import type { Priority } from '../parts/priority';
import type { RequestTracer } from '../trace/tracer';
import { createGapRuns, type GapRuns } from './gap-runs';
import type { Instance } from './instance';

/** The parts of a strategy, as functions. */
export interface Parts {
  readonly former: (instance: Instance) => BatchFormer;
  readonly chunker: Chunker;
  readonly admission: Admission;
  readonly priority: Priority;
  readonly preemption: Preemption;
  readonly alloc: KvAlloc;
}

/** What crosses replicas; the event loop ties it to the fleet. */
export interface Hooks {
  /** A prefill has emitted a token and is not complete; true when the request leaves this replica. */
  onPrefilled: (instance: Instance, id: number) => boolean;
  /** A preempted request must be computed again: where it waits. */
  onPreempted: (instance: Instance, id: number) => void;
  onCompleted: (instance: Instance) => void;
}

/** Everything that the functions of the engine share. */
export interface RunState {
  readonly requests: Requests;
  readonly parts: Parts;
  readonly hooks: Hooks;
  readonly gaps: GapRuns;
  readonly parity: boolean;
  readonly horizonSeconds: number;
  /** KV bytes of one token on one accelerator, each of which copies its own to the host. */
  readonly kvBytesPerToken: number;
  /** Told what becomes of one request; undefined but in a run that is made to tell. */
  readonly trace: RequestTracer | undefined;
  /** Of a request that decodes: processed tokens less the replica's step. */
  readonly base: Int32Array;
  /** Step at whose end it is complete; -1 when it does not decode. */
  readonly endStep: Int32Array;
  /** Replica that it decodes on, or did last. */
  readonly decodesOn: Int32Array;
  /** Gaps after this step count for its longest stall. */
  readonly stallFrom: Int32Array;
  readonly rank: Float64Array;
  /** Step of its replica at which it joined with the block of its next token; -1 for none. */
  readonly prepaid: Int32Array;
  /** Iterations kept one by one in the logs so far. */
  logged: number;
  /** Requests waiting anywhere. */
  waiting: number;
  iterations: number;
  swaps: number;
  preemptions: number;
  /** Preemptions up to the last iteration that was formed. */
  preemptionsSeen: number;
}

export function createRunState(
  options: Pick<
    RunState,
    'requests' | 'parts' | 'parity' | 'horizonSeconds' | 'kvBytesPerToken' | 'trace'
  >,
): RunState {
  const { count } = options.requests;
  return {
    ...options,
    hooks: { onPrefilled: () => false, onPreempted: () => undefined, onCompleted: () => undefined },
    gaps: createGapRuns(),
    base: new Int32Array(count),
    endStep: new Int32Array(count).fill(-1),
    decodesOn: new Int32Array(count).fill(-1),
    stallFrom: new Int32Array(count),
    rank: new Float64Array(count),
    prepaid: new Int32Array(count).fill(-1),
    logged: 0,
    waiting: 0,
    iterations: 0,
    swaps: 0,
    preemptions: 0,
    preemptionsSeen: 0,
  };
}
