import type { HeadOperands, PartialAttention } from './types';

/** @throws RangeError unless `value` is a finite number above 0 */
export function checkPositive(name: string, value: number): void {
  if (!(value > 0 && value < Infinity)) {
    throw new RangeError(`invalid ${name}: ${value} (expected a finite number above 0)`);
  }
}

/** @throws RangeError unless `value` is a positive integer */
export function checkSize(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) {
    throw new RangeError(`invalid ${name}: ${value} (expected a positive integer)`);
  }
}

/** @throws RangeError unless `values` has `expected` elements */
export function checkLength(name: string, values: ArrayLike<number>, expected: number): void {
  if (values.length !== expected) {
    throw new RangeError(`invalid ${name} length: ${values.length} (expected ${expected})`);
  }
}

/** @throws RangeError where a tensor's length is not that of its shape; sets without keys are fine */
export function checkOperands(head: HeadOperands): void {
  const { queries, keys, headSize, valueSize } = head;
  checkSize('headSize', headSize);
  checkSize('valueSize', valueSize);
  checkLength('query', head.query, queries * headSize);
  checkLength('key', head.key, keys * headSize);
  checkLength('value', head.value, keys * valueSize);
}

/**
 * @throws RangeError where there is no part, shapes differ, or an lse is NaN or +Infinity: neither
 * is the log of a sum
 */
export function checkParts(parts: readonly PartialAttention[]): PartialAttention {
  const [first] = parts;
  if (first === undefined) throw new RangeError('invalid parts: 0 (expected at least 1)');
  for (const [index, part] of parts.entries()) {
    if (part.rows !== first.rows || part.valueSize !== first.valueSize) {
      throw new RangeError(
        `invalid part ${index}: [${part.rows}, ${part.valueSize}] (expected [${first.rows}, ${first.valueSize}] as part 0)`,
      );
    }
    checkLength(`output of part ${index}`, part.output, part.rows * part.valueSize);
    checkLength(`lse of part ${index}`, part.lse, part.rows);
    const row = part.lse.findIndex((lse) => !(lse < Infinity));
    if (row >= 0) {
      throw new RangeError(
        `invalid lse: ${part.lse[row]} at part ${index}, row ${row} (expected below Infinity)`,
      );
    }
  }
  return first;
}
