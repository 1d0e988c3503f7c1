import { dot, softmaxInPlace } from './dot';
import { visibleEnd } from './grid';
import type { HeadGeometry, HeadTensors } from './types';

/** Exact attention of the last queries of a head. */
export interface WindowScores {
  /** Number of queries; row r is query `queries - rows + r`. */
  readonly rows: number;
  /** [rows, keys]; 0 where masked. */
  readonly probabilities: Float32Array;
  readonly flops: number;
}

/** Softmax attention of the last `windowQueries` queries (all, where there are fewer). */
export function windowScores(head: HeadTensors, windowQueries: number): WindowScores {
  const { queries, keys, headSize } = head;
  const rows = Math.min(windowQueries, queries);
  const probabilities = new Float32Array(rows * keys);
  const scale = 1 / Math.sqrt(headSize);
  const row = new Float64Array(keys);
  let pairs = 0;
  for (let r = 0; r < rows; r++) {
    const query = queries - rows + r;
    const end = visibleEnd(head, query);
    for (let k = 0; k < end; k++) {
      row[k] = dot(head.query, query * headSize, head.key, k * headSize, headSize) * scale;
    }
    softmaxInPlace(row, end);
    row.fill(0, end);
    probabilities.set(row, r * keys);
    pairs += end;
  }
  return { rows, probabilities, flops: 2 * headSize * pairs };
}

/** Probability per key position, summed over the window, [keys]. */
export function columnSums(head: HeadGeometry, window: WindowScores): Float64Array {
  const sums = new Float64Array(head.keys);
  for (let r = 0; r < window.rows; r++) {
    const offset = r * head.keys;
    for (let k = 0; k < head.keys; k++) {
      sums[k] = (sums[k] as number) + (window.probabilities[offset + k] as number);
    }
  }
  return sums;
}

/** Probability per distance (query position - key), summed over the window, [keys]; later keys have no distance. */
export function diagonalSums(head: HeadGeometry, window: WindowScores): Float64Array {
  const sums = new Float64Array(head.keys);
  for (let r = 0; r < window.rows; r++) {
    const offset = r * head.keys;
    const position = head.keys - window.rows + r;
    for (let k = 0; k <= position; k++) {
      const distance = position - k;
      sums[distance] = (sums[distance] as number) + (window.probabilities[offset + k] as number);
    }
  }
  return sums;
}

/** Sums of consecutive groups of `groupSize` values; the last may be ragged. */
export function groupSums(values: Float64Array, groupSize: number): Float64Array {
  const sums = new Float64Array(Math.ceil(values.length / groupSize));
  for (let i = 0; i < values.length; i++) {
    const group = Math.floor(i / groupSize);
    sums[group] = (sums[group] as number) + (values[i] as number);
  }
  return sums;
}
