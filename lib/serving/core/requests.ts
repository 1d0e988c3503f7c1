import type { Workload } from '../../workload/types';

/**
 * State of every request, one column each. `processed` counts the tokens whose KV exists or is
 * being fed: after prefill it is the prompt plus the first output token, and a request is complete
 * when it equals prompt + output.
 */
export interface Requests {
  readonly count: number;
  readonly arrivalSeconds: Float64Array;
  /** Tokens of the (re)prefill: the prompt, and after a restart everything processed until then. */
  readonly prefillTokens: Int32Array;
  readonly totalTokens: Int32Array;
  readonly processed: Int32Array;
  /** 1 once the current (re)prefill is done. */
  readonly isPrefilled: Uint8Array;
  readonly blocksHeld: Int32Array;
  readonly restarts: Int32Array;
  readonly firstScheduledSeconds: Float64Array;
  readonly firstTokenSeconds: Float64Array;
  readonly lastTokenSeconds: Float64Array;
  readonly completedSeconds: Float64Array;
  readonly maxStallSeconds: Float64Array;
  readonly prefillLane: Int16Array;
  readonly decodeLane: Int16Array;
  readonly refused: Uint8Array;
}

export function createRequests(workload: Workload): Requests {
  const count = workload.arrivalSeconds.length;
  const nan = () => new Float64Array(count).fill(Number.NaN);
  return {
    count,
    // Of programs the times of sending are found out in the run.
    arrivalSeconds:
      workload.programs === undefined ? workload.arrivalSeconds : workload.arrivalSeconds.slice(),
    prefillTokens: workload.promptTokens.slice(),
    totalTokens: workload.promptTokens.map(
      (prompt, i) => prompt + (workload.outputTokens[i] as number),
    ),
    processed: new Int32Array(count),
    isPrefilled: new Uint8Array(count),
    blocksHeld: new Int32Array(count),
    restarts: new Int32Array(count),
    firstScheduledSeconds: nan(),
    firstTokenSeconds: nan(),
    lastTokenSeconds: nan(),
    completedSeconds: nan(),
    maxStallSeconds: new Float64Array(count),
    prefillLane: new Int16Array(count).fill(-1),
    decodeLane: new Int16Array(count).fill(-1),
    refused: new Uint8Array(count),
  };
}

/**
 * Preemption by recompute: what was processed becomes the next prefill. A request caught in
 * mid-prefill starts its prompt again; under `parity` it follows Vidur instead, where the processed
 * part becomes the whole prefill and the rest of the prompt is decoded.
 */
export function restartRequest(requests: Requests, id: number, parity: boolean): void {
  if (requests.isPrefilled[id] === 1 || parity) {
    requests.prefillTokens[id] = requests.processed[id] as number;
  }
  requests.processed[id] = 0;
  requests.isPrefilled[id] = 0;
  requests.restarts[id] = (requests.restarts[id] as number) + 1;
}
