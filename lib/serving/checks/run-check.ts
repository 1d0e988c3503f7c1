import type { CheckParams } from '../../spec/kinds/check';
import { ROW_CHECKS } from './registry';
import type { CheckProgress, CheckResult, RowCheck } from './types';

/** What a check found, with what it asked: all that is needed to read it. */
export interface CheckCellResult extends CheckResult, Omit<RowCheck, 'run'> {
  readonly params: CheckParams;
  /** `cache` where it ran on the model in the page; simulated unless given. */
  readonly lab?: 'serving' | 'cache';
  /** What ran the model. */
  readonly engine?: 'wasm' | 'webgpu' | 'reference';
  readonly seconds: number;
}

/** @throws Error naming the id and those there are */
export function checkOf(id: string): RowCheck {
  const found = ROW_CHECKS.find((check) => check.id === id);
  if (found !== undefined) return found;
  const known = ROW_CHECKS.map((check) => check.id).join(', ');
  throw new Error(`unknown check: "${id}" (expected one of ${known})`);
}

/**
 * Runs a check; yields as it does.
 *
 * @throws Error for an unknown id, and for a figure that is no number or has a band without a source
 */
export function* runCheck(params: CheckParams): Generator<CheckProgress, CheckCellResult> {
  const { check: id, seed } = params;
  const startedAt = performance.now();
  const { run, ...about } = checkOf(id);
  const result = yield* run(seed);
  for (const { label, value, expected, source } of result.figures) {
    if (Number.isNaN(value)) throw new Error(`check ${id}: "${label}" is not a number`);
    if (expected !== undefined && source === undefined)
      throw new Error(`check ${id}: the band of "${label}" has no source`);
  }
  return { ...about, params, ...result, seconds: (performance.now() - startedAt) / 1000 };
}
