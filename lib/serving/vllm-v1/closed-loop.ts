import { createGapRecorder } from '../core/gaps';
import type { VllmV1Options } from '../policies/vllm-v1';
import type { CostModel } from '../types';
import { createVllmV1Engine, type EngineTimes } from './engine';
import { createKvManager } from './kv-manager';
import { createOutcomes } from './outcomes';
import type { Rank } from './rank';
import { createWaitingQueue } from './waiting-queue';

export interface ClosedLoop {
  readonly concurrency: number;
  readonly requests: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly kvBlocks: number;
  readonly blockTokens: number;
}

/** Means over all requests of a closed loop. */
export interface ClosedLoopResult {
  readonly ttftSeconds: number;
  readonly tpotSeconds: number;
  readonly iterations: number;
}

/**
 * One replica under a closed loop: `concurrency` clients send requests of fixed lengths, each the
 * next one when its last is complete; all begin at once.
 *
 * @throws Error when a request can never fit in the KV blocks
 */
export function runClosedLoop(
  load: ClosedLoop,
  options: VllmV1Options,
  times: EngineTimes,
  costModel: CostModel,
): ClosedLoopResult {
  const { requests: count, promptTokens: prompt, outputTokens: output } = load;
  const needed = Math.ceil((prompt + output - 1) / load.blockTokens);
  if (needed > load.kvBlocks)
    throw new Error(`a request needs ${needed} KV blocks (there are ${load.kvBlocks})`);
  const arrivalSeconds = new Float64Array(count);
  const promptTokens = new Int32Array(count).fill(prompt);
  const outputTokens = new Int32Array(count).fill(output);
  const preemptions = new Int32Array(count);
  const workload = {
    arrivalSeconds,
    promptTokens,
    outputTokens,
    label: '',
    source: '',
    seed: 0,
    notes: [],
  };
  const outcomes = createOutcomes(workload, preemptions, createGapRecorder());
  const state = {
    waiting: createWaitingQueue(false, arrivalSeconds, undefined),
    running: [],
    kv: createKvManager(
      load.kvBlocks,
      load.blockTokens,
      undefined,
      new Int32Array(count).fill(prompt + output),
    ),
    arrivalSeconds,
    priority: undefined,
    promptTokens,
    outputTokens,
    computed: new Int32Array(count),
    planned: new Int32Array(count),
    emitted: new Int32Array(count),
    preemptions,
    admission: new Int32Array(count),
    admitted: 0,
    onAdmitted: () => undefined,
  };
  const engine = createVllmV1Engine(0, state, options, times, costModel, outcomes);
  const rank = engine.ranks[0] as Rank;
  let sent = 0;
  const send = (now: number): void => {
    while (sent < count && rank.outstanding < load.concurrency) {
      arrivalSeconds[sent] = now;
      rank.enqueue(sent++);
    }
    engine.wake(now);
  };
  send(0);
  while (engine.endSeconds < Infinity) {
    const now = engine.endSeconds;
    engine.endStep();
    // The answer reaches the client after the next step is formed.
    send(now);
  }
  const { firstTokenSeconds, completedSeconds } = outcomes.columns;
  let ttft = 0;
  let tpot = 0;
  for (let i = 0; i < count; i++) {
    const first = firstTokenSeconds[i] as number;
    ttft += first - (arrivalSeconds[i] as number);
    tpot += ((completedSeconds[i] as number) - first) / Math.max(1, output - 1);
  }
  return { ttftSeconds: ttft / count, tpotSeconds: tpot / count, iterations: rank.iterations };
}
