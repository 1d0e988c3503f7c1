import type { Summary, Weighted } from '../../stats/percentiles';
import { sortWeighted } from '../../stats/sort-weighted';
import { growableFloats } from '../core/growable';

/**
 * Gaps between consecutive tokens as arithmetic progressions: `count` gaps from `first` on in steps
 * of `slope`, each shared by `weight` requests. A long decode run is one row.
 */
export interface GapRuns {
  add(first: number, slope: number, count: number, weight: number): void;
  /** Distribution and summary of all gaps so far. */
  take(): { readonly samples: Weighted; readonly summary: Summary; readonly isExact: boolean };
}

/** Rows kept as they are; above it everything is counted into bins instead, and memory stays as it is. */
const MOST_ROWS = 2 ** 20;
/** Distinct values handed out; above it bins stand for them in the distribution, not in the summary. */
const MOST_VALUES = 2 ** 16;
/** Bits of the mantissa that name a bin: a relative width of 2^-12, 0.024 %. */
const BIN_BITS = 12;
const SHARES = [0.5, 0.9, 0.99] as const;

const scratch = new DataView(new ArrayBuffer(8));
/** Name of the bin of a positive number; bins ascend with it. */
function binOf(value: number): number {
  scratch.setFloat64(0, value);
  return scratch.getUint32(0) >>> (20 - BIN_BITS);
}
/** Lower edge of a bin. */
function edgeOf(bin: number): number {
  scratch.setUint32(0, bin << (20 - BIN_BITS));
  scratch.setUint32(4, 0);
  return scratch.getFloat64(0);
}

interface Bins {
  low: number;
  weights: Float64Array;
  /** Weighted sum of the values of the bin. */
  sums: Float64Array;
}

function binsFor(low: number, high: number): Bins {
  const length = high - low + 1;
  return { low, weights: new Float64Array(length), sums: new Float64Array(length) };
}

/** Counts a progression, bin by bin: O(bins crossed), not O(count). */
function countInto(bins: Bins, first: number, slope: number, count: number, weight: number): void {
  let i = 0;
  while (i < count) {
    const value = first + slope * i;
    const bin = binOf(value);
    let next = count;
    if (slope > 0) {
      const edge = edgeOf(bin + 1);
      next = Math.min(count, Math.max(i + 1, Math.ceil((edge - first) / slope)));
    }
    const n = next - i;
    const at = bin - bins.low;
    bins.weights[at] = (bins.weights[at] as number) + n * weight;
    const sum = n * value + (slope * n * (n - 1)) / 2;
    bins.sums[at] = (bins.sums[at] as number) + sum * weight;
    i = next;
  }
}

export function createGapRuns(): GapRuns {
  let firsts = new Float64Array(1024);
  let slopes = new Float64Array(1024);
  let counts = new Int32Array(1024);
  let weights = new Int32Array(1024);
  let rows = 0;
  let values = 0;
  let largest = 0;
  /** What has been folded so far, when there were too many rows. */
  let folded: Bins | undefined;

  function grow(): void {
    const length = rows * 2;
    const moreFirsts = new Float64Array(length);
    const moreSlopes = new Float64Array(length);
    const moreCounts = new Int32Array(length);
    const moreWeights = new Int32Array(length);
    moreFirsts.set(firsts);
    moreSlopes.set(slopes);
    moreCounts.set(counts);
    moreWeights.set(weights);
    [firsts, slopes, counts, weights] = [moreFirsts, moreSlopes, moreCounts, moreWeights];
  }

  /** All rows in bins, over what was folded before. */
  function binned(): Bins {
    let least = Infinity;
    for (let i = 0; i < rows; i++) least = Math.min(least, firsts[i] as number);
    const low = Math.min(binOf(least), folded?.low ?? Infinity);
    const bins = binsFor(low, binOf(largest));
    if (folded !== undefined) {
      bins.weights.set(folded.weights, folded.low - low);
      bins.sums.set(folded.sums, folded.low - low);
    }
    for (let i = 0; i < rows; i++) {
      countInto(
        bins,
        firsts[i] as number,
        slopes[i] as number,
        counts[i] as number,
        weights[i] as number,
      );
    }
    return bins;
  }

  /** Every value of the rows that lies in a bin, ascending, with weights. */
  function valuesIn(bin: number | undefined): Weighted {
    const found = growableFloats();
    const weightsOf = growableFloats();
    const from = bin === undefined ? 0 : edgeOf(bin);
    const to = bin === undefined ? Infinity : edgeOf(bin + 1);
    for (let r = 0; r < rows; r++) {
      const first = firsts[r] as number;
      const slope = slopes[r] as number;
      const count = counts[r] as number;
      const weight = weights[r] as number;
      if (first >= to || first + slope * (count - 1) < from) continue;
      if (slope === 0) {
        found.push(first);
        weightsOf.push(weight * count);
        continue;
      }
      const start = Math.max(0, Math.floor((from - first) / slope) - 1);
      for (let i = start; i < count; i++) {
        const value = first + slope * i;
        if (value >= to) break;
        if (value < from) continue;
        found.push(value);
        weightsOf.push(weight);
      }
    }
    return sortWeighted(found.take(), weightsOf.take());
  }

  return {
    add(first, slope, count, weight) {
      if (rows === MOST_ROWS) {
        folded = binned();
        rows = 0;
      }
      if (rows === firsts.length) grow();
      firsts[rows] = first;
      slopes[rows] = slope;
      counts[rows] = count;
      weights[rows++] = weight;
      values += slope === 0 ? 1 : count;
      largest = Math.max(largest, first + slope * (count - 1));
    },
    take() {
      const isExact = folded === undefined;
      if (values === 0) return { samples: emptySamples(), summary: emptySummary(), isExact };
      const bins = binned();
      const total = bins.weights.reduce((a, b) => a + b, 0);
      const sum = bins.sums.reduce((a, b) => a + b, 0);
      const all = isExact && values <= MOST_VALUES ? valuesIn(undefined) : undefined;
      // The smallest value whose cumulative weight reaches the share, over single values or bins.
      const reach = (sorted: Weighted, before: number, share: number): number => {
        let cumulative = before;
        for (let v = 0; v < sorted.values.length; v++) {
          cumulative += sorted.weights[v] as number;
          if (cumulative >= share * total) return sorted.values[v] as number;
        }
        return sorted.values.at(-1) ?? Number.NaN;
      };
      const at = (share: number): number => {
        if (all !== undefined) return reach(all, 0, share);
        let cumulative = 0;
        let i = 0;
        while (
          i < bins.weights.length - 1 &&
          cumulative + (bins.weights[i] as number) < share * total
        )
          cumulative += bins.weights[i++] as number;
        if (!isExact) return (bins.sums[i] as number) / (bins.weights[i] as number);
        return reach(valuesIn(bins.low + i), cumulative, share);
      };
      const [p50, p90, p99] = SHARES.map(at) as [number, number, number];
      return {
        samples: all ?? samplesOf(bins),
        summary: { mean: sum / total, p50, p90, p99, max: largest, count: total },
        isExact,
      };
    },
  };
}

function samplesOf({ weights, sums }: Bins): Weighted {
  const full = [...weights.keys()].filter((i) => (weights[i] as number) > 0);
  return {
    values: Float64Array.from(full, (i) => (sums[i] as number) / (weights[i] as number)),
    weights: Float64Array.from(full, (i) => weights[i] as number),
  };
}

const emptySamples = (): Weighted => ({
  values: new Float64Array(0),
  weights: new Float64Array(0),
});
const emptySummary = (): Summary => ({
  mean: Number.NaN,
  p50: Number.NaN,
  p90: Number.NaN,
  p99: Number.NaN,
  max: Number.NaN,
  count: 0,
});
