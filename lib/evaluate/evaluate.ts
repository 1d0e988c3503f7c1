import type { SessionFactory } from '../cache/types';
import { taskOf } from '../tasks/registry';
import { runStepsAsync } from '../transformer/model-steps';
import type { Transformer } from '../transformer/types';
import { createFold } from './fold';
import { runSample, sampleSteps } from './run-sample';
import type { AskPlan, Evaluation, SampleOutcome } from './types';

/** Longest run of samples between two looks at the mailbox. */
const SLICE_MILLISECONDS = 20;

export interface EvaluateRequest {
  readonly model: Transformer;
  readonly factory: SessionFactory;
  readonly plan: AskPlan;
}

/** Lets messages in: a macrotask without the clamping of timers. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/**
 * Runs samples `first` to `end` of a plan in slices, each handed on when it is done, by the model's
 * `forwardAsync` where it has one.
 *
 * @throws AbortError when cancelled, RangeError for a plan that cannot be run
 */
export async function runSamples(
  { model, factory, plan }: EvaluateRequest,
  first: number,
  end: number,
  onOutcome: (outcome: SampleOutcome) => void,
  signal?: AbortSignal,
): Promise<void> {
  const task = taskOf(plan.taskId);
  let sliceStart = performance.now();
  for (let index = first; index < end; index++) {
    signal?.throwIfAborted();
    onOutcome(
      model.forwardAsync
        ? await runStepsAsync(model, sampleSteps(model, factory, task, plan, index), signal)
        : runSample(model, factory, task, plan, index),
    );
    if (performance.now() - sliceStart < SLICE_MILLISECONDS) continue;
    await nextTask();
    sliceStart = performance.now();
  }
  signal?.throwIfAborted();
}

/** @throws RangeError for a number of samples out of bounds */
export function checkSamples(samples: number): void {
  if (!(Number.isInteger(samples) && samples >= 1 && samples <= 100_000)) {
    throw new RangeError(`invalid samples: ${samples} (expected 1..100000)`);
  }
}

/**
 * How well a model answers a task's questions from the cache that a policy leaves it, in this thread.
 *
 * @param onProgress results so far, after every sample
 * @throws AbortError when cancelled, RangeError for a plan that cannot be run
 */
export async function evaluate(
  request: EvaluateRequest,
  onProgress?: (partial: Evaluation) => void,
  signal?: AbortSignal,
): Promise<Evaluation> {
  const { plan } = request;
  checkSamples(plan.samples);
  const fold = createFold(taskOf(plan.taskId), plan);
  const take = (outcome: SampleOutcome) => {
    fold.add(outcome);
    onProgress?.(fold.evaluation());
  };
  await runSamples(request, 0, plan.samples, take, signal);
  return fold.evaluation();
}
