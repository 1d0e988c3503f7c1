import { emptyFeatures } from '../core/features';
import type { VllmV1Options, VllmV1State } from '../policies/vllm-v1';
import type { CostModel } from '../types';
import { readStepFeatures } from './features';
import type { Outcomes } from './outcomes';
import { checkedSeconds, createRank, type Rank } from './rank';
import { createStep, type Step } from './step';

export interface EngineTimes {
  /** Steps that may be formed and not ended: 1, or 2 when scheduling runs one step ahead. */
  readonly stepsInFlight: 1 | 2;
  /** Time between the end of a step and the start of the next on the accelerator. */
  readonly stepBoundarySeconds: number;
}

/** What forms and runs steps: one engine core with its accelerator, or several that step together. */
export interface VllmV1Engine {
  /** The queues of requests in it; one unless several cores step together. */
  readonly ranks: readonly Rank[];
  /** End of the oldest step in flight; Infinity when the core is idle. */
  readonly endSeconds: number;
  /** Forms and starts steps if none is in flight; to be called after the last arrival of an instant. */
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
  const rank = createRank(lane, state, options, outcomes);
  const features = emptyFeatures();
  const steps: readonly Step[] = [createStep(), createStep()];
  let oldest = 0;
  let inFlight = 0;
  let freeAt = 0;

  function formSteps(now: number): void {
    while (inFlight < times.stepsInFlight) {
      const step = steps[(oldest + inFlight) & 1] as Step;
      if (!rank.form(step, inFlight === 0 ? undefined : steps[oldest], now)) return;
      readStepFeatures(step, features);
      const duration = checkedSeconds(costModel.iterationSeconds(features), costModel);
      step.startSeconds = Math.max(now, freeAt) + times.stepBoundarySeconds;
      step.endSeconds = step.startSeconds + duration;
      freeAt = step.endSeconds;
      rank.start(step, features, duration, now);
      inFlight++;
    }
  }

  return {
    ranks: [rank],
    get endSeconds() {
      return inFlight === 0 ? Infinity : (steps[oldest] as Step).endSeconds;
    },
    wake(now) {
      if (inFlight === 0) formSteps(now);
    },
    endStep() {
      const step = steps[oldest] as Step;
      oldest ^= 1;
      inFlight--;
      rank.end(step, inFlight === 0 ? undefined : steps[oldest]);
      formSteps(step.endSeconds);
    },
    settle() {
      const inOrder = [steps[oldest] as Step, steps[oldest ^ 1] as Step];
      rank.settle(inOrder.slice(0, inFlight));
    },
  };
}
