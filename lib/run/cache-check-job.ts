import { runCacheCheck } from '../evaluate/checks/run-check';
import type { CacheCheck } from '../evaluate/checks/types';
import type { CheckCellResult } from '../serving/checks/run-check';
import type { CheckParams } from '../spec/kinds/check';
import type { SiblingName } from '../spec/kinds/recall-gap';
import type { LoadedSibling } from '../transformer/load/sibling';
import type { Transformer } from '../transformer/types';
import { listedCheck } from './check-list';
import { throttled } from './simulation-jobs';
import { nextTask, throwIfAborted } from './sliced';
import type { OnProgress } from './worker-api';

/**
 * The check of a policy by its id in the list.
 *
 * @throws Error for an unknown id or one of the serving lab
 */
export function cacheCheckOf(id: string): CacheCheck {
  const listed = listedCheck(id);
  if (listed.lab === 'cache') return listed.check;
  throw new Error(`invalid check: ${id} (one of the serving lab)`);
}

/** What a check runs on, loaded. */
export interface CheckModels {
  readonly model: Transformer;
  readonly siblings: ReadonlyMap<SiblingName, LoadedSibling>;
}

/**
 * Runs a policy's check, and hears a cancel after every context.
 *
 * @throws Error for an id that is no policy's check, AbortError when cancelled
 */
export async function cacheCheckJob(
  params: CheckParams,
  { model, siblings }: CheckModels,
  signal: AbortSignal,
  onProgress: OnProgress,
): Promise<CheckCellResult> {
  const check = cacheCheckOf(params.check);
  const { title, asks, rule, evidence } = check;
  const report = throttled(onProgress);
  const startedAt = performance.now();
  const steps = runCacheCheck(check, { model, siblings, seed: params.seed });
  for (;;) {
    const step = steps.next();
    if (step.done) {
      const seconds = (performance.now() - startedAt) / 1000;
      return {
        id: params.check,
        lab: 'cache',
        engine: model.engine,
        title,
        asks,
        rule,
        evidence,
        params,
        ...step.value,
        seconds,
      };
    }
    report(step.value);
    await nextTask();
    throwIfAborted(signal);
  }
}
