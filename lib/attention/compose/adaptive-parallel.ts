import { checkPositive } from './checks';
import { mergePartials } from './merge-partials';
import type { MergedAttention, PartialAttention } from './types';

export interface AdaptiveParallelOptions {
  /** T: softmax temperature that the context part was computed with. */
  readonly temperature: number;
  /** S: together with T it scales the context part's log-sum-exp. */
  readonly scale: number;
}

/** Defaults of the authors' code. */
export const ADAPTIVE_PARALLEL_DEFAULTS: AdaptiveParallelOptions = { temperature: 0.9, scale: 0.9 };

/**
 * APE (Yang et al. 2025): contexts that were encoded alone, in parallel, meet the query. The context
 * part is attention with scores divided by T; its lse becomes S T lse; then both parts merge as
 * disjoint key sets do. The output of the context part stays as it is. With T = S = 1 this is
 * `mergePartials`. Scaling an lse is not invariant to a constant added to all scores, so S T other
 * than 1 needs scores as the model makes them.
 *
 * @param context over the contexts' keys, by `attendPartial` with the same temperature
 * @param other over the shared prefix and the query's own keys, at temperature 1
 * @throws RangeError where an option is not above 0, or shapes differ
 */
export function mergeAdaptiveParallel(
  context: PartialAttention,
  other: PartialAttention,
  { temperature, scale }: AdaptiveParallelOptions = ADAPTIVE_PARALLEL_DEFAULTS,
): MergedAttention {
  checkPositive('temperature', temperature);
  checkPositive('scale', scale);
  const factor = scale * temperature;
  const lse = Float64Array.from(context.lse, (each) => factor * each);
  return mergePartials([{ ...context, lse }, other]);
}
