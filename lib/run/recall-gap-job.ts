import { recallGapSteps } from '../evaluate/recall-gap';
import type { RecallGapResult } from '../evaluate/recall-gap-result';
import type { RecallGapParams, SiblingName } from '../spec/kinds/recall-gap';
import { type LoadedSibling, loadSibling, type SiblingFile } from '../transformer/load/sibling';
import { throttled } from './simulation-jobs';
import { nextTask, throwIfAborted } from './sliced';
import type { OnProgress } from './worker-api';

/** Reads a file of a shipped sibling. */
export type ReadSibling = (name: SiblingName, file: SiblingFile) => Promise<Blob>;

export type RecallGapJob = (
  params: RecallGapParams,
  signal: AbortSignal,
  onProgress: OnProgress,
) => Promise<RecallGapResult>;

/** Siblings by name; those that were read once are kept, 400 kB each. */
export type Siblings = (
  names: readonly SiblingName[],
  signal: AbortSignal,
  onProgress: OnProgress,
) => Promise<ReadonlyMap<SiblingName, LoadedSibling>>;

export function createSiblings(readSibling: ReadSibling): Siblings {
  const kept = new Map<SiblingName, LoadedSibling>();
  return async (names, signal, report) => {
    for (const name of names) {
      if (kept.has(name)) continue;
      report({ fraction: undefined, phase: `reading the ${name} model` });
      const [config, weights] = await Promise.all([
        readSibling(name, 'config.json'),
        readSibling(name, 'model.safetensors'),
      ]);
      kept.set(name, await loadSibling(config, weights));
      throwIfAborted(signal);
    }
    return kept;
  };
}

/** The recall-gap job. */
export function createRecallGapJob(
  readSibling: ReadSibling,
  siblings: Siblings = createSiblings(readSibling),
): RecallGapJob {
  return async (params, signal, onProgress) => {
    const report = throttled(onProgress);
    const kept = await siblings(params.models, signal, report);
    const steps = recallGapSteps(params, kept);
    const started = performance.now();
    for (;;) {
      const step = steps.next();
      const seconds = (performance.now() - started) / 1000;
      if (step.done) return { ...step.value, seconds };
      const { share, soFar } = step.value;
      const value = { ...soFar(), seconds };
      report({
        fraction: share,
        phase: 'asking for pairs',
        ...(value.curves.length > 0 ? { partial: { kind: 'recall-gap', value } } : {}),
      });
      await nextTask();
      throwIfAborted(signal);
    }
  };
}
