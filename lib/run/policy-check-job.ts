import { CACHE_CHECKS } from '../evaluate/checks/registry';
import { runCacheCheck } from '../evaluate/checks/run-check';
import type { CheckResult } from '../evaluate/checks/types';
import type { Transformer } from '../transformer/types';
import { throttled } from './simulation-jobs';
import { nextTask, throwIfAborted } from './sliced';
import type { OnProgress } from './worker-api';

/**
 * Runs a policy's check, and hears a cancel after every context.
 *
 * @throws RangeError for a policy without one, AbortError when cancelled
 */
export async function policyCheckJob(
  policyId: string,
  seed: number,
  model: Transformer,
  signal: AbortSignal,
  onProgress: OnProgress,
): Promise<CheckResult> {
  const check = CACHE_CHECKS.get(policyId);
  if (check === undefined) {
    throw new RangeError(
      `no check for policy: ${policyId} (expected ${[...CACHE_CHECKS.keys()].join(', ')})`,
    );
  }
  const report = throttled(onProgress);
  const steps = runCacheCheck(check, model, seed);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    report(step.value);
    await nextTask();
    throwIfAborted(signal);
  }
}
