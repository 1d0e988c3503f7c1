/** Entries of one level that an entry of the next one stands for. */
const FAN = 16;

/** Where a column is largest, for any range of it. */
export interface ArgMaxTree {
  /** Index of the largest value in [from, to), the first of equals; -1 for an empty range. */
  at(from: number, to: number): number;
}

/**
 * A tree of the index of the largest value of every 16, 256, ... entries: n / 15 integers, and at
 * most 30 comparisons per level for any range.
 */
export function argMaxTree(
  column: Int32Array | Float32Array | Float64Array,
  count: number,
): ArgMaxTree {
  const levels: Int32Array[] = [];
  for (let below = count; below > FAN; ) {
    const under = levels.at(-1);
    const length = Math.ceil(below / FAN);
    const level = new Int32Array(length);
    for (let j = 0; j < length; j++) {
      const end = Math.min(below, (j + 1) * FAN);
      let best = under === undefined ? j * FAN : (under[j * FAN] as number);
      for (let k = j * FAN + 1; k < end; k++) {
        const index = under === undefined ? k : (under[k] as number);
        if ((column[index] as number) > (column[best] as number)) best = index;
      }
      level[j] = best;
    }
    levels.push(level);
    below = length;
  }

  return {
    at(from, to) {
      if (from >= to) return -1;
      let best = from;
      let largest = column[from] as number;
      let low = from;
      let high = to;
      for (let l = 0; ; l++) {
        const level = l === 0 ? undefined : levels[l - 1];
        const innerLow = Math.ceil(low / FAN);
        const innerHigh = Math.floor(high / FAN);
        const isLast = l === levels.length || innerLow >= innerHigh;
        const firstEnd = isLast ? high : innerLow * FAN;
        for (let j = low; j < firstEnd; j++) {
          const index = level === undefined ? j : (level[j] as number);
          const value = column[index] as number;
          if (value > largest || (value === largest && index < best)) {
            largest = value;
            best = index;
          }
        }
        if (isLast) return best;
        for (let j = innerHigh * FAN; j < high; j++) {
          const index = level === undefined ? j : (level[j] as number);
          const value = column[index] as number;
          if (value > largest || (value === largest && index < best)) {
            largest = value;
            best = index;
          }
        }
        low = innerLow;
        high = innerHigh;
      }
    },
  };
}
