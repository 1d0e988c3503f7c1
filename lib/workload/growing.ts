/** A column of integers that grows as it is written. */
export interface GrowingIntegers {
  readonly length: number;
  push(value: number): void;
  /** @throws RangeError where the column would hold more than its limit */
  append(values: ArrayLike<number>): void;
  /** The column, in a buffer of its own size. */
  finish(): Int32Array;
}

/** @param limit most values that it takes */
export function growingIntegers(limit = 2 ** 28): GrowingIntegers {
  let column = new Int32Array(1024);
  let length = 0;
  function reserve(more: number): void {
    if (length + more > limit)
      throw new RangeError(`more than ${limit} ids: read fewer requests, or larger blocks`);
    if (length + more <= column.length) return;
    const larger = new Int32Array(Math.min(limit, Math.max(2 * column.length, length + more)));
    larger.set(column.subarray(0, length));
    column = larger;
  }
  return {
    get length() {
      return length;
    },
    push(value) {
      reserve(1);
      column[length++] = value;
    },
    append(values) {
      reserve(values.length);
      column.set(values, length);
      length += values.length;
    },
    finish: () => column.slice(0, length),
  };
}
