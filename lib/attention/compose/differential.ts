import { checkParts } from './checks';
import type { PartialAttention } from './types';

/**
 * Differential attention, (A1 - lambda A2) V: two softmaxes over the same keys and values share out
 * what both see as noise. Rows of the difference sum to 1 - lambda, so it has no log-sum-exp and no
 * further merging: merge the parts of each softmax first.
 *
 * @param first A1 V, [rows, valueSize]
 * @param second A2 V, over the same keys
 * @returns output [rows, valueSize]; a row without keys is 0
 * @throws RangeError where lambda is not finite or shapes differ
 */
export function differentialOutput(
  first: PartialAttention,
  second: PartialAttention,
  lambda: number,
): Float64Array {
  if (!Number.isFinite(lambda)) {
    throw new RangeError(`invalid lambda: ${lambda} (expected a finite number)`);
  }
  const { rows, valueSize } = checkParts([first, second]);
  const output = new Float64Array(rows * valueSize);
  const add = (part: PartialAttention, factor: number) => {
    for (let i = 0; i < output.length; i++) {
      if (part.lse[Math.floor(i / valueSize)] === -Infinity) continue;
      output[i] = output[i]! + factor * part.output[i]!;
    }
  };
  add(first, 1);
  add(second, -lambda);
  return output;
}
