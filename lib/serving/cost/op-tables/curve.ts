/** A function of one size, sampled at ascending whole sizes, linear between them. */
export interface Curve {
  readonly sizes: Float64Array;
  readonly values: Float64Array;
}

/**
 * A curve from unsorted samples.
 * @throws Error naming the size that is sampled twice
 */
export function makeCurve(
  name: string,
  sizes: readonly number[],
  values: readonly number[],
): Curve {
  const order = Uint32Array.from(sizes.keys()).sort(
    (a, b) => (sizes[a] as number) - (sizes[b] as number),
  );
  const sorted = Float64Array.from(order, (i) => sizes[i] as number);
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i] === sorted[i - 1]) throw new Error(`${name}: size ${sorted[i]} is there twice`);
  }
  return { sizes: sorted, values: Float64Array.from(order, (i) => values[i] as number) };
}

/** Index of the sample that begins the segment for `size`: the outermost segments serve beyond the ends. */
export function segmentOf(sizes: Float64Array, size: number): number {
  let low = 0;
  let high = sizes.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((sizes[middle] as number) <= size) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * The value at `size`: linear between samples, along the last segment beyond the last sample, and
 * the first sample below the first one.
 */
export function valueAt({ sizes, values }: Curve, size: number): number {
  if (sizes.length === 1 || size <= (sizes[0] as number)) return values[0] as number;
  const i = segmentOf(sizes, size);
  const from = sizes[i] as number;
  const share = (size - from) / ((sizes[i + 1] as number) - from);
  return (values[i] as number) + share * ((values[i + 1] as number) - (values[i] as number));
}

/**
 * The weighted sum of curves at every whole size from 0 to `last`: one load per look-up where
 * there were a dozen searches. Size 0 costs nothing.
 */
export function sumAtEverySize(
  parts: readonly (readonly [curve: Curve, times: number])[],
  last: number,
): Float64Array {
  const sums = new Float64Array(last + 1);
  for (const [curve, times] of parts) {
    for (let size = 1; size <= last; size++)
      sums[size] = (sums[size] as number) + times * valueAt(curve, size);
  }
  return sums;
}

/** `sums` at any size: the slope of the last two entries goes on beyond the end. */
export function sumAt(sums: Float64Array, size: number): number {
  const last = sums.length - 1;
  if (size <= last) return sums[size] as number;
  const end = sums[last] as number;
  return end + (size - last) * (last > 1 ? end - (sums[last - 1] as number) : end);
}
