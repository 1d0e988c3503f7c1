import { checkCount } from './choose';

/** Smallest and largest key per channel of runs of rows. */
export interface PageBounds {
  readonly pages: number;
  /** [pages, headSize] */
  readonly least: Float32Array;
  readonly most: Float32Array;
}

/** @param keys rotated, [count, headSize] */
export function pageBounds(
  keys: Float32Array,
  count: number,
  headSize: number,
  pageTokens: number,
): PageBounds {
  checkCount('pageTokens', pageTokens);
  const pages = Math.ceil(count / pageTokens);
  const least = new Float32Array(pages * headSize).fill(Infinity);
  const most = new Float32Array(pages * headSize).fill(-Infinity);
  for (let row = 0; row < count; row++) {
    const page = Math.floor(row / pageTokens);
    for (let channel = 0; channel < headSize; channel++) {
      const key = keys[row * headSize + channel]!;
      const at = page * headSize + channel;
      if (key < least[at]!) least[at] = key;
      if (key > most[at]!) most[at] = key;
    }
  }
  return { pages, least, most };
}

/**
 * Quest's score of a page (Tang et al., 2024), the largest over the queries that share the KV head of
 * sum over channels of max(q min, q max): no key of the page scores higher with any of them.
 *
 * @param queries rotated, [group, headSize]
 */
export function pageScores(
  { pages, least, most }: PageBounds,
  queries: Float32Array,
  headSize: number,
): Float64Array {
  const scores = new Float64Array(pages).fill(-Infinity);
  for (let from = 0; from < queries.length; from += headSize) {
    for (let page = 0; page < pages; page++) {
      let sum = 0;
      for (let channel = 0; channel < headSize; channel++) {
        const query = queries[from + channel]!;
        const at = page * headSize + channel;
        sum += Math.max(query * least[at]!, query * most[at]!);
      }
      if (sum > scores[page]!) scores[page] = sum;
    }
  }
  return scores;
}
