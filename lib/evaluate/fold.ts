import { createClusterTally, createKeyedTally, type KeyedTally } from '../stats/tally';
import { Z_95 } from '../stats/wilson';
import type { Task } from '../tasks/task';
import type { StepTally } from '../transformer/types';
import type { AskPlan, Evaluation, KeyedShare, SampleOutcome } from './types';

const DEPTH_BINS = 10;

/** Folds outcomes into results, holding sums alone: memory does not grow with the samples. */
export interface Fold {
  /**
   * Outcomes may come in any order and are folded in the order of their index, so that results do
   * not depend on who ran what; the few that came early wait.
   *
   * @throws RangeError for an index that came before
   */
  add(outcome: SampleOutcome): void;
  evaluation(): Evaluation;
}

export function createFold(task: Task, plan: AskPlan): Fold {
  const waiting = new Map<number, SampleOutcome>();
  let next = 0;
  const answers = createClusterTally();
  const byKind = createKeyedTally<string>();
  const byDepth = createKeyedTally<number>();
  const byTurn = createKeyedTally<number>();
  const byOffset = createKeyedTally<number>();
  const tokens = { right: 0, total: 0 };
  const loss = { samples: 0, gaps: 0, squares: 0, entropies: 0 };
  const sums = {
    payload: 0,
    overhead: 0,
    host: 0,
    full: 0,
    slots: 0,
    fullSlots: 0,
    tokensSeen: 0,
    moved: 0,
    recomputed: 0,
    recomputedFlops: 0,
    asked: 0,
    prefillSeconds: 0,
    askSeconds: 0,
  };

  let ran: StepTally | undefined;
  const problems = new Set<string>();

  function fold(outcome: SampleOutcome): void {
    const { held } = outcome;
    if (outcome.answers.length > 0) {
      const right = outcome.answers.filter(({ isRight }) => isRight).length;
      answers.add(right, outcome.answers.length);
    }
    for (const answer of outcome.answers) {
      byKind.add(answer.kind, answer.isRight);
      byDepth.add(Math.floor(answer.depth * DEPTH_BINS) / DEPTH_BINS, answer.isRight);
      byTurn.add(answer.turn + 1, answer.isRight);
      if (answer.offset !== undefined) byOffset.add(answer.offset, answer.isRight);
      tokens.right += answer.rightTokens;
      tokens.total += answer.tokens;
    }
    if (outcome.loss && outcome.loss.tokens > 0) {
      const { lossNats, entropyNats, tokens: count } = outcome.loss;
      const gap = (lossNats - entropyNats) / count;
      loss.samples++;
      loss.gaps += gap;
      loss.squares += gap * gap;
      loss.entropies += entropyNats / count;
    }
    for (const key of ['payload', 'overhead', 'host', 'full'] as const) sums[key] += held[key];
    for (const key of ['slots', 'fullSlots', 'tokensSeen'] as const) sums[key] += held[key];
    sums.moved += outcome.movedBytes;
    sums.recomputed += outcome.recomputedTokenLayers;
    sums.recomputedFlops += outcome.recomputedFlops;
    sums.asked += outcome.askedTokens;
    sums.prefillSeconds += outcome.prefillSeconds;
    sums.askSeconds += outcome.askSeconds;
    if (outcome.problem !== undefined) problems.add(outcome.problem);
    if (outcome.ran) {
      const { held: h, layered: l, cpu: c } = outcome.ran;
      const sum = ran ?? { held: 0, layered: 0, cpu: 0 };
      ran = { held: sum.held + h, layered: sum.layered + l, cpu: sum.cpu + c };
    }
  }

  function lossGap(): Evaluation['lossGapNats'] {
    if (loss.samples === 0) return undefined;
    const mean = loss.gaps / loss.samples;
    const variance =
      loss.samples < 2
        ? Number.POSITIVE_INFINITY
        : Math.max(0, loss.squares - loss.samples * mean * mean) / (loss.samples - 1);
    const half = Z_95 * Math.sqrt(variance / loss.samples);
    return {
      mean,
      low: mean - half,
      high: mean + half,
      entropyNats: loss.entropies / loss.samples,
    };
  }

  return {
    add(outcome) {
      if (outcome.index < next || waiting.has(outcome.index)) {
        throw new RangeError(`invalid index: ${outcome.index} (it came before)`);
      }
      waiting.set(outcome.index, outcome);
      for (let ready = waiting.get(next); ready; ready = waiting.get(next)) {
        waiting.delete(next++);
        fold(ready);
      }
    },
    evaluation() {
      const share = answers.share();
      const gap = lossGap();
      return {
        plan,
        samplesDone: next,
        ...(share.total > 0 ? { accuracy: share, tokenAccuracy: tokens.right / tokens.total } : {}),
        chance: task.chance(plan.contextTokens, plan.options),
        byKind: keyed(byKind),
        byDepth: ascending(byDepth),
        byTurn: ascending(byTurn),
        byOffset: ascending(byOffset),
        ...(gap ? { lossGapNats: gap } : {}),
        bytesPerToken: {
          payload: sums.payload / sums.tokensSeen,
          overhead: sums.overhead / sums.tokensSeen,
          host: sums.host / sums.tokensSeen,
          full: sums.full / sums.tokensSeen,
        },
        byteRatio: (sums.payload + sums.overhead + sums.host) / sums.full,
        slotRatio: sums.slots / sums.fullSlots,
        movedBytesPerSample: sums.moved / next,
        movedBytesPerToken: sums.moved / sums.asked,
        recomputedTokenLayersPerSample: sums.recomputed / next,
        recomputedFlopsPerSample: sums.recomputedFlops / next,
        prefillSeconds: sums.prefillSeconds,
        askSeconds: sums.askSeconds,
        ...(ran ? { ran } : {}),
        ...(problems.size > 0 ? { problems: [...problems] } : {}),
      };
    },
  };
}

function keyed<K>(tally: KeyedTally<K>): KeyedShare<K>[] {
  return tally.entries().map(([key, share]) => ({ key, ...share }));
}

function ascending(tally: KeyedTally<number>): KeyedShare<number>[] {
  return keyed(tally).sort((a, b) => a.key - b.key);
}
