import { createLaneLog } from '../core/replica';
import type { VllmV1Options, VllmV1State } from '../policies/vllm-v1';
import type { BatchFeatures, CostModel } from '../types';
import { createInOrder } from './in-order';
import type { Outcomes } from './outcomes';
import type { Step } from './step';
import { createStepFormer } from './step-former';
import { tellStep } from './tell-tracer';

/** The requests of one engine core, whatever runs its steps and for how long. */
export interface Rank {
  readonly log: ReturnType<typeof createLaneLog>;
  readonly outstanding: number;
  readonly waiting: number;
  readonly iterations: number;
  enqueue(id: number): void;
  /** Schedules a step after `before`, the one in flight. @returns false when there is nothing to run */
  form(step: Step, before: Step | undefined, nowSeconds: number): boolean;
  /** Writes a step whose start and end are known into the log. */
  start(step: Step, features: BatchFeatures, durationSeconds: number, nowSeconds: number): void;
  /** What the end of `step` emits and completes; `next` is the step formed ahead of it. */
  end(step: Step, next: Step | undefined): void;
  /** Brings the outcomes of requests under way up to date; `steps` are those in flight, in order. */
  settle(steps: readonly Step[]): void;
}

/** @throws RangeError for a time that no step can take */
export function checkedSeconds(seconds: number, { label }: CostModel): number {
  if (!(seconds > 0) || seconds === Infinity) {
    throw new RangeError(`invalid iteration time: ${seconds} s from ${label}`);
  }
  return seconds;
}

export function createRank(
  lane: number,
  state: VllmV1State,
  options: VllmV1Options,
  outcomes: Outcomes,
): Rank {
  const log = createLaneLog();
  const former = createStepFormer(state, options, outcomes);
  const completions = createInOrder(state.admission);
  const { outputTokens, emitted, running, admission, kv } = state;
  const { firstScheduledSeconds } = outcomes.columns;
  let outstanding = 0;
  let iterations = 0;
  let previousEnd = Number.NaN;

  const completeLater = (id: number): void => completions.add(id, 0);
  function complete(id: number): void {
    outcomes.complete(id, lane, previousEnd);
    if (state.trace?.id === id) state.trace.ended(previousEnd);
    kv.free(id);
    const place = placeOf(id);
    if (running[place] === id) {
      for (let i = place + 1; i < running.length; i++) running[i - 1] = running[i] as number;
      running.pop();
    } else state.waiting.remove(id);
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
    enqueue(id) {
      outstanding++;
      state.waiting.push(id);
      if (state.trace?.id !== id) return;
      state.trace.home = lane;
      state.trace.enter(state.trace.nowSeconds, lane, { kind: 'iteration' });
    },
    form(step, before, now) {
      if (state.trace !== undefined) state.trace.nowSeconds = now;
      if (former.form(step, before, previousEnd)) return true;
      tellStep(state, options, step, lane, now);
      return false;
    },
    start(step, features, duration, now) {
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
    },
    end(step, next) {
      const now = step.endSeconds;
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
      former.indexEnded(step, next);
    },
    settle(steps) {
      former.settle(steps, previousEnd);
    },
  };
}
