import type { Transformer } from '../../transformer/types';
import { createMeasure } from './measure';
import type { Arm, CacheCheck, CheckProgress, CheckResult, Measure, Measured } from './types';

/**
 * Runs a check on a model, arm after arm, with progress after every context.
 *
 * @param measure shares what was measured among several checks; its seed counts, not `seed`
 */
export function* runCacheCheck(
  check: CacheCheck,
  model: Transformer,
  seed: number,
  measure: Measure = createMeasure(model, seed),
): Generator<CheckProgress, CheckResult> {
  const arms = Object.entries(check.arms);
  const measured: Record<string, Measured> = {};
  for (const [at, [name, arm]] of arms.entries()) {
    const steps = measure(arm);
    let step = steps.next();
    while (!step.done) {
      yield { fraction: (at + step.value) / arms.length, phase: name };
      step = steps.next();
    }
    measured[name] = step.value;
  }
  return {
    figures: check.figures(measured),
    series: [],
    notes: arms.map(([name, arm]) => `${name}: ${armText(arm)}`),
  };
}

function armText({
  policyId,
  share,
  variant,
  task,
  samples,
  contextTokens,
  protocol,
}: Arm): string {
  const how = variant ? `, ${variant}` : '';
  const percent = Number((share * 100).toPrecision(3));
  return `${policyId} at ${percent} %${how}; ${samples} contexts of ${contextTokens} tokens of ${task}, the question ${protocol}`;
}
