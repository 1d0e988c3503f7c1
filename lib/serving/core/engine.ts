import type { BatchFormer, PolicyContext } from '../policies/policy';
import type { CostModel } from '../types';
import { emptyFeatures, readFeatures } from './features';
import type { GapRecorder } from './gaps';
import { pushRunning, type Replica, releaseBlocks } from './replica';
import { type Requests, restartRequest } from './requests';

/** What the surrounding topology does with a request that changes hands. */
export interface EngineHooks {
  /** A prefill has just emitted a token and the request is not complete; true when it leaves this replica. */
  onPrefilled(replica: Replica, id: number): boolean;
  /** A preempted request must be computed again: where it waits is the topology's choice. */
  onPreempted(replica: Replica, id: number): void;
  onCompleted(replica: Replica, id: number): void;
}

export interface Engine {
  /** Forms and starts the next iteration of an idle replica; false when there is nothing to run. */
  start(replica: Replica, former: BatchFormer, nowSeconds: number): boolean;
  /** Ends the iteration in flight. */
  finish(replica: Replica): void;
  readonly iterations: number;
}

/** Starts and ends iterations: the part of the simulator that every topology shares. */
export function createEngine(
  requests: Requests,
  costModel: CostModel,
  gaps: GapRecorder,
  hooks: EngineHooks,
  parity: boolean,
): Engine {
  const features = emptyFeatures();
  let iterations = 0;

  const context: PolicyContext = {
    requests,
    preempt(replica, id) {
      releaseBlocks(replica, requests, id);
      restartRequest(requests, id, parity);
      hooks.onPreempted(replica, id);
    },
  };

  function start(replica: Replica, former: BatchFormer, now: number): boolean {
    replica.batchCount = 0;
    former(replica, context);
    if (replica.batchCount === 0) return false;
    readFeatures(replica, requests, features);
    const duration = costModel.iterationSeconds(features);
    if (!(duration > 0) || duration === Infinity) {
      throw new RangeError(`invalid iteration time: ${duration} s from ${costModel.label}`);
    }
    for (let i = 0; i < replica.batchCount; i++) {
      const id = replica.batchIds[i] as number;
      if (Number.isNaN(requests.firstScheduledSeconds[id]))
        requests.firstScheduledSeconds[id] = now;
    }
    replica.isBusy = true;
    replica.endSeconds = now + duration;
    const { log } = replica;
    log.start.push(now);
    log.duration.push(duration);
    log.prefill.push(features.prefillTokens);
    log.decode.push(features.decodeCount);
    log.batch.push(replica.batchCount);
    log.queue.push(replica.waiting.length);
    log.kv.push(replica.blocks.used);
    iterations++;
    return true;
  }

  function finish(replica: Replica): void {
    const now = replica.endSeconds;
    const { previousEndSeconds } = replica;
    const { processed, prefillTokens, isPrefilled, totalTokens, lastTokenSeconds } = requests;
    let sharedGap = 0;
    for (let i = 0; i < replica.batchCount; i++) {
      const id = replica.batchIds[i] as number;
      const wasPrefilled = isPrefilled[id] === 1;
      processed[id] = (processed[id] as number) + (replica.batchTokens[i] as number);
      if (!wasPrefilled) {
        if ((processed[id] as number) < (prefillTokens[id] as number)) {
          pushRunning(replica, id);
          continue;
        }
        isPrefilled[id] = 1;
        processed[id] = (processed[id] as number) + 1;
        requests.prefillLane[id] = replica.index;
      }
      const last = lastTokenSeconds[id] as number;
      if (last === previousEndSeconds) sharedGap++;
      else if (!Number.isNaN(last)) gaps.add(now - last, 1);
      if (!Number.isNaN(last)) {
        const gap = now - last;
        if (gap > (requests.maxStallSeconds[id] as number)) requests.maxStallSeconds[id] = gap;
      } else requests.firstTokenSeconds[id] = now;
      lastTokenSeconds[id] = now;
      if (processed[id] === totalTokens[id]) {
        requests.completedSeconds[id] = now;
        requests.decodeLane[id] = replica.index;
        releaseBlocks(replica, requests, id);
        hooks.onCompleted(replica, id);
      } else if (wasPrefilled || !hooks.onPrefilled(replica, id)) {
        pushRunning(replica, id);
      }
    }
    if (sharedGap > 0) gaps.add(now - previousEndSeconds, sharedGap);
    replica.previousEndSeconds = now;
    replica.isBusy = false;
    replica.endSeconds = Infinity;
    replica.batchCount = 0;
  }

  return {
    start,
    finish,
    get iterations() {
      return iterations;
    },
  };
}
