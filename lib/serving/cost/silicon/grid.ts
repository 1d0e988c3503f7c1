import { segmentOf } from '../op-tables/curve';

/** A function of two sizes, sampled on columns that each have rows of their own. */
export interface Grid {
  /** Piecewise linear in both; along the outermost segment beyond the samples, the first below them. */
  at(first: number, second: number): number;
}

/** A grid from unsorted points; of a point that is there twice the smaller value counts. */
export function makeGrid(first: Float64Array, second: Float64Array, values: Float64Array): Grid {
  const groups = new Map<number, Map<number, number>>();
  for (let i = 0; i < first.length; i++) {
    const key = first[i] as number;
    const group = groups.get(key) ?? new Map<number, number>();
    groups.set(key, group);
    const known = group.get(second[i] as number) ?? Infinity;
    group.set(second[i] as number, Math.min(known, values[i] as number));
  }
  const keys = Float64Array.from(groups.keys()).sort();
  const columns = Array.from(keys, (key) => {
    const group = groups.get(key) ?? new Map<number, number>();
    const sizes = Float64Array.from(group.keys()).sort();
    return { sizes, values: Float64Array.from(sizes, (size) => group.get(size) as number) };
  });

  function inColumn(index: number, size: number): number {
    const { sizes, values: samples } = columns[index] as (typeof columns)[number];
    if (sizes.length === 1 || size <= (sizes[0] as number)) return samples[0] as number;
    const i = segmentOf(sizes, size);
    const from = sizes[i] as number;
    const share = (size - from) / ((sizes[i + 1] as number) - from);
    return (samples[i] as number) * (1 - share) + (samples[i + 1] as number) * share;
  }

  return {
    at(one, two) {
      if (keys.length === 1 || one <= (keys[0] as number)) return inColumn(0, two);
      const i = segmentOf(keys, one);
      const from = keys[i] as number;
      const share = (one - from) / ((keys[i + 1] as number) - from);
      return inColumn(i, two) * (1 - share) + inColumn(i + 1, two) * share;
    },
  };
}
