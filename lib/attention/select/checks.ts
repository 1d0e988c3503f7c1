import type { HeadTensors } from './types';

/** @throws RangeError unless `value` is an integer in [low, high] */
export function checkInteger(name: string, value: number, low: number, high: number): void {
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new RangeError(`invalid ${name}: ${value} (expected ${low}..${high})`);
  }
}

/** @throws RangeError unless `value` is in (0, 1] */
export function checkShare(name: string, value: number): void {
  if (!(value > 0 && value <= 1)) {
    throw new RangeError(`invalid ${name}: ${value} (expected above 0, at most 1)`);
  }
}

/** @throws RangeError unless `part` divides `whole` */
export function checkDivides(partName: string, part: number, wholeName: string, whole: number) {
  if (whole % part !== 0) {
    throw new RangeError(
      `invalid ${partName}: ${part} (expected a divisor of ${wholeName} ${whole})`,
    );
  }
}

/** @throws RangeError where a tensor's length is not that of its shape */
export function checkHead(head: HeadTensors): void {
  const { queries, keys, headSize } = head;
  checkInteger('queries', queries, 1, 2 ** 24);
  checkInteger('keys', keys, 1, 2 ** 24);
  checkInteger('headSize', headSize, 1, 4096);
  const tensors = [
    ['query', head.query, queries],
    ['key', head.key, keys],
    ['value', head.value, keys],
  ] as const;
  for (const [name, values, tokens] of tensors) {
    const expected = tokens * headSize;
    if (values.length !== expected) {
      throw new RangeError(`invalid ${name} length: ${values.length} (expected ${expected})`);
    }
  }
}
