import { emptyFeatures } from '../core/features';
import type { VllmV1Options, VllmV1State } from '../policies/vllm-v1';
import type { BatchFeatures, CostModel } from '../types';
import type { EngineTimes, VllmV1Engine } from './engine';
import { readStepFeatures } from './features';
import type { Outcomes } from './outcomes';
import { checkedSeconds, createRank, type Rank } from './rank';
import { createStep, type Step } from './step';

/** One rank of the group: the step that it runs, and the one it has formed ahead. */
interface Member {
  readonly rank: Rank;
  readonly steps: readonly [Step, Step];
  /** Which of `steps` runs or is to run next. */
  oldest: 0 | 1;
  isRunning: boolean;
  isAhead: boolean;
  readonly features: BatchFeatures;
}

/**
 * Data-parallel ranks of one model that share its experts (vLLM `DPEngineCoreProc`): they schedule
 * each for themselves, and every forward pass is of all of them, since each layer exchanges the
 * tokens of all ranks. A rank with nothing to run joins with a dummy batch and forms nothing ahead;
 * a pass takes as long as the cost model says for the group.
 *
 * @param states one for each rank; `firstLane` is the lane of the first
 * @throws Error when the cost model does not price a group
 */
export function createRankGroup(
  firstLane: number,
  states: readonly VllmV1State[],
  options: VllmV1Options,
  times: EngineTimes,
  costModel: CostModel,
  outcomes: Outcomes,
): VllmV1Engine {
  const groupSeconds = costModel.groupIterationSeconds;
  if (groupSeconds === undefined) {
    throw new Error(
      `invalid sharedExperts: the cost model (${costModel.label}) prices no exchange of experts (expected operator tables with moe.csv)`,
    );
  }
  const members = states.map(
    (state, i): Member => ({
      rank: createRank(firstLane + i, state, options, outcomes),
      steps: [createStep(), createStep()],
      oldest: 0,
      isRunning: false,
      isAhead: false,
      features: emptyFeatures(),
    }),
  );
  const allFeatures = members.map(({ features }) => features);
  const idle = createStep();
  let endSeconds = Infinity;

  /** Starts the next pass at `now` where any rank has a step for it, and lets ranks schedule ahead. */
  function begin(now: number): void {
    let anyone = false;
    for (const member of members) {
      const step = member.steps[member.oldest];
      member.isRunning = member.isAhead || member.rank.form(step, undefined, now);
      member.isAhead = false;
      anyone ||= member.isRunning;
    }
    endSeconds = Infinity;
    if (!anyone) return;
    for (const { isRunning, steps, oldest, features } of members) {
      idle.clear();
      readStepFeatures(isRunning ? steps[oldest] : idle, features);
    }
    const duration = checkedSeconds(groupSeconds?.(allFeatures) ?? Number.NaN, costModel);
    const start = now + times.stepBoundarySeconds;
    endSeconds = start + duration;
    for (const member of members) {
      if (!member.isRunning) continue;
      const step = member.steps[member.oldest];
      step.startSeconds = start;
      step.endSeconds = endSeconds;
      member.rank.start(step, member.features, duration, now);
      if (times.stepsInFlight === 2) {
        member.isAhead = member.rank.form(member.steps[member.oldest === 0 ? 1 : 0], step, now);
      }
    }
  }

  return {
    ranks: members.map(({ rank }) => rank),
    get endSeconds() {
      return endSeconds;
    },
    wake(now) {
      if (endSeconds === Infinity) begin(now);
    },
    endStep() {
      const now = endSeconds;
      for (const member of members) {
        if (!member.isRunning) continue;
        const step = member.steps[member.oldest];
        member.oldest = member.oldest === 0 ? 1 : 0;
        member.isRunning = false;
        member.rank.end(step, member.isAhead ? member.steps[member.oldest] : undefined);
      }
      begin(now);
    },
    settle() {
      for (const { rank, steps, oldest, isRunning, isAhead } of members) {
        const inOrder = [steps[oldest], steps[oldest === 0 ? 1 : 0]];
        rank.settle(inOrder.slice(0, (isRunning ? 1 : 0) + (isAhead ? 1 : 0)));
      }
    },
  };
}
