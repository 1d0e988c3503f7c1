import { emptyFeatures } from '../core/features';
import { createLaneLog } from '../core/replica';
import type { VllmV1Options, VllmV1State } from '../policies/vllm-v1';
import type { CostModel } from '../types';
import { readStepFeatures } from './features';
import { createInOrder } from './in-order';
import type { Outcomes } from './outcomes';
import { createStep, type Step } from './step';
import { createStepFormer } from './step-former';
import { tellStep } from './tell-tracer';

export interface EngineTimes {
  /** Steps that may be formed and not ended: 1, or 2 when scheduling runs one step ahead. */
  readonly stepsInFlight: 1 | 2;
  /** Time between the end of a step and the start of the next on the accelerator. */
  readonly stepBoundarySeconds: number;
}

/** One replica: its engine core, which forms steps, and its accelerator, which runs them in turn. */
export interface VllmV1Engine {
  readonly log: ReturnType<typeof createLaneLog>;
  /** Requests routed here and not completed. */
  readonly outstanding: number;
  /** Those of them that are not admitted. */
  readonly waiting: number;
  readonly iterations: number;
  /** End of the oldest step in flight; Infinity when the core is idle. */
  readonly endSeconds: number;
  /** Hands a request over; an idle core must be woken after the last one of an instant. */
  enqueue(id: number): void;
  /** Forms and starts steps if none is in flight. */
  wake(nowSeconds: number): void;
  /** Ends the oldest step in flight and forms the next. */
  endStep(): void;
  /** Brings the outcomes of requests under way up to date: what decodes steadily is told late. */
  settle(): void;
}

/**
 * The engine loop of vLLM V1 (`EngineCore.step` and `step_with_batch_queue`): new requests are seen
 * between steps only; a step is formed when fewer than `stepsInFlight` are under way. One step
 * ahead, the step after the running one is already formed, so a request that arrives now starts one
 * step later, and the place of a completed one stays empty for a step.
 */
export function createVllmV1Engine(
  lane: number,
  state: VllmV1State,
  options: VllmV1Options,
  times: EngineTimes,
  costModel: CostModel,
  outcomes: Outcomes,
): VllmV1Engine {
  const log = createLaneLog();
  const features = emptyFeatures();
  const steps: readonly Step[] = [createStep(), createStep()];
  const former = createStepFormer(state, options, outcomes);
  const completions = createInOrder(state.admission);
  const { outputTokens, emitted, running, admission, kv } = state;
  const { firstScheduledSeconds } = outcomes.columns;
  let oldest = 0;
  let inFlight = 0;
  let freeAt = 0;
  let outstanding = 0;
  let iterations = 0;
  let previousEnd = Number.NaN;

  function formSteps(now: number): void {
    while (inFlight < times.stepsInFlight) {
      const step = steps[(oldest + inFlight) & 1] as Step;
      const before = inFlight === 0 ? undefined : steps[oldest];
      if (state.trace !== undefined) state.trace.nowSeconds = now;
      if (!former.form(step, before, previousEnd)) {
        tellStep(state, options, step, lane, now);
        return;
      }
      readStepFeatures(step, features);
      const duration = costModel.iterationSeconds(features);
      if (!(duration > 0) || duration === Infinity) {
        throw new RangeError(`invalid iteration time: ${duration} s from ${costModel.label}`);
      }
      step.startSeconds = Math.max(now, freeAt) + times.stepBoundarySeconds;
      step.endSeconds = step.startSeconds + duration;
      freeAt = step.endSeconds;
      tellStep(state, options, step, lane, now);
      for (let i = 0; i < step.count; i++) {
        const id = step.ids[i] as number;
        if (Number.isNaN(firstScheduledSeconds[id])) firstScheduledSeconds[id] = now;
      }
      log.start.push(step.startSeconds);
      log.duration.push(duration);
      log.prefill.push(features.prefillTokens);
      log.decode.push(features.decodeCount);
      log.batch.push(step.decodes + step.count);
      log.queue.push(state.waiting.length);
      log.kv.push(kv.pool.total - kv.pool.freeCount);
      iterations++;
      inFlight++;
    }
  }

  const completeLater = (id: number): void => completions.add(id, 0);
  function complete(id: number): void {
    outcomes.complete(id, lane, previousEnd);
    if (state.trace?.id === id) state.trace.ended(previousEnd);
    kv.free(id);
    const place = placeOf(id);
    if (running[place] === id) running.splice(place, 1);
    else state.waiting.remove(id);
    outstanding--;
  }

  /** Where a request is among the running ones, if it is: they stand in the order of admission. */
  function placeOf(id: number): number {
    const wanted = admission[id] as number;
    let low = 0;
    let high = running.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((admission[running[middle] as number] as number) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return {
    log,
    get outstanding() {
      return outstanding;
    },
    get waiting() {
      return state.waiting.length;
    },
    get iterations() {
      return iterations;
    },
    get endSeconds() {
      return inFlight === 0 ? Infinity : (steps[oldest] as Step).endSeconds;
    },
    enqueue(id) {
      outstanding++;
      state.waiting.push(id);
      if (state.trace?.id !== id) return;
      state.trace.home = lane;
      state.trace.enter(state.trace.nowSeconds, lane, { kind: 'iteration' });
    },
    wake(now) {
      if (inFlight === 0) formSteps(now);
    },
    endStep() {
      const step = steps[oldest] as Step;
      const now = step.endSeconds;
      oldest ^= 1;
      inFlight--;
      let shared = step.decodes;
      if (shared > 0) former.endDecodes(step, now, previousEnd, completeLater);
      for (let i = 0; i < step.count; i++) {
        if (step.emits[i] === 0) continue;
        const id = step.ids[i] as number;
        emitted[id] = (emitted[id] as number) + 1;
        if (outcomes.emit(id, lane, now, previousEnd)) shared++;
        if (emitted[id] === outputTokens[id]) completeLater(id);
      }
      outcomes.share(now - previousEnd, shared);
      previousEnd = now;
      completions.drain(complete);
      former.indexEnded(step, inFlight === 0 ? undefined : steps[oldest]);
      formSteps(now);
    },
    settle() {
      const inOrder = [steps[oldest] as Step, steps[oldest ^ 1] as Step];
      former.settle(inOrder.slice(0, inFlight), previousEnd);
    },
  };
}
