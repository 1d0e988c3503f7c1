import type { Random } from '../random/random';

/** Draws 0..count-1, the i-th in proportion to (i + 1)^-skew (Zipf). */
export function zipfSampler(count: number, skew: number, random: Random): () => number {
  const cumulative = new Float64Array(count);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += (i + 1) ** -skew;
    cumulative[i] = sum;
  }
  return () => {
    const share = random.uniform() * sum;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((cumulative[middle] as number) <= share) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}
