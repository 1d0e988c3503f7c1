import type { BlockGrid } from './grid';
import { firstPosition, lastPosition } from './grid';

/**
 * Candidates of scores[0 .. count) from best to worst, ties by lower index. An index is no candidate
 * where its score is -Infinity or NaN, or where `kept` is 1 already.
 */
export function rankDescending(
  scores: Float64Array,
  count: number,
  kept?: Uint8Array,
): Uint32Array {
  const candidates = new Uint32Array(count);
  let n = 0;
  for (let i = 0; i < count; i++) {
    if ((scores[i] as number) > -Infinity && kept?.[i] !== 1) candidates[n++] = i;
  }
  return candidates
    .subarray(0, n)
    .sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
}

/**
 * Adds the best of scores[0 .. count) to `kept` until k entries of it are 1. Entries kept before,
 * such as forced sets, count towards k and always stay.
 */
export function addTopK(kept: Uint8Array, scores: Float64Array, count: number, k: number): void {
  let open = k;
  for (let i = 0; i < count; i++) open -= kept[i] as number;
  if (open <= 0) return;
  const ranked = rankDescending(scores, count, kept);
  for (let r = 0; r < open && r < ranked.length; r++) kept[ranked[r] as number] = 1;
}

/**
 * Adds the largest weights to `kept` until the kept weight reaches `share` of `total`: the smallest
 * such set, given what was kept before. `share` 1 adds every candidate, whatever the rounding.
 *
 * @param weights at least 0, or -Infinity where an index is no candidate
 * @param total defaults to the sum of the candidates' weights, kept or not
 * @param crossing 'drop' leaves out the entry that would pass the share: the kept weight stays below
 */
export function addTopP(
  kept: Uint8Array,
  weights: Float64Array,
  count: number,
  share: number,
  options: { readonly crossing?: 'keep' | 'drop'; readonly total?: number } = {},
): void {
  const ranked = rankDescending(weights, count, kept);
  let covered = 0;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const weight = weights[i] as number;
    if (!(weight > -Infinity)) continue;
    sum += weight;
    if (kept[i] === 1) covered += weight;
  }
  const target = share * (options.total ?? sum);
  for (const index of ranked) {
    const weight = weights[index] as number;
    if (
      share < 1 &&
      (covered >= target || (options.crossing === 'drop' && covered + weight > target))
    )
      return;
    kept[index] = 1;
    covered += weight;
  }
}

/** Adds every index whose score is above the threshold. */
export function addAbove(
  kept: Uint8Array,
  scores: Float64Array,
  count: number,
  threshold: number,
): void {
  for (let i = 0; i < count; i++) if ((scores[i] as number) > threshold) kept[i] = 1;
}

/** Adds every index whose weight is at least the threshold; -Infinity is no candidate. */
export function addAtLeast(
  kept: Uint8Array,
  weights: Float64Array,
  count: number,
  threshold: number,
): void {
  for (let i = 0; i < count; i++) {
    const weight = weights[i] as number;
    if (weight > -Infinity && weight >= threshold) kept[i] = 1;
  }
}

/** Forces the blocks that hold the first `sinkTokens` keys. */
export function addSinks(grid: BlockGrid, kept: Uint8Array, sinkTokens: number): void {
  kept.fill(1, 0, Math.min(grid.keyBlocks, Math.ceil(sinkTokens / grid.blockKeys)));
}

/**
 * Forces the blocks that hold any of the last `recentTokens` keys, itself included, of any query of
 * the block; 1 gives the block's diagonal, 0 nothing.
 */
export function addRecent(
  grid: BlockGrid,
  kept: Uint8Array,
  queryBlock: number,
  recentTokens: number,
): void {
  const last = lastPosition(grid, queryBlock);
  if (recentTokens === 0 || last < 0) return;
  const first = Math.max(0, firstPosition(grid, queryBlock) - recentTokens + 1);
  kept.fill(1, Math.floor(first / grid.blockKeys), Math.floor(last / grid.blockKeys) + 1);
}
