import { createMeasure } from './measure';
import type { CacheCheck, CheckGround, CheckProgress, CheckResult } from './types';

/**
 * Runs a check, with progress after every context.
 *
 * @param ground its `measure` may be left out, or be shared among checks
 * @throws Error where a sibling is missing, a figure is no number, or a band has no source
 */
export function* runCacheCheck(
  check: CacheCheck,
  ground: Omit<CheckGround, 'measure'> & Partial<Pick<CheckGround, 'measure'>>,
): Generator<CheckProgress, CheckResult> {
  const { model, seed, mostContexts, siblings } = ground;
  const missing = check.siblings?.find((name) => !siblings.has(name));
  if (missing !== undefined) throw new Error(`check ${check.id}: no ${missing} model`);
  const measure = ground.measure ?? createMeasure(model, seed, mostContexts);
  const result = yield* check.run({ ...ground, measure });
  for (const { label, value, expected, source } of result.figures) {
    if (Number.isNaN(value)) throw new Error(`check ${check.id}: "${label}" is not a number`);
    if (expected !== undefined && source === undefined)
      throw new Error(`check ${check.id}: the band of "${label}" has no source`);
  }
  return result;
}
