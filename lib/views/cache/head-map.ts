import { cellStart, MAP_CELLS } from '../../attention/map';
import type { BlockList, MapBase, MapRect, MapWindow } from '../../attention/types';
import type { CacheHead } from '../../evaluate/cache-head';
import { UNSEEN, UNTOLD } from '../../evaluate/cache-steps';
import { SLOT_STATES } from '../../evaluate/look';

const KEPT = SLOT_STATES.indexOf('kept');
const DROPPED = SLOT_STATES.indexOf('dropped');

/** Weights of one query head of a KV head's group, [tokens, tokens]; NaN after the query. */
function weightsOf({ attention, labels, firstHead, group }: CacheHead, head: number): Float32Array {
  const size = labels.length ** 2;
  const at = head - firstHead;
  if (!(at >= 0 && at < group)) {
    throw new RangeError(
      `invalid head: ${head} (expected ${firstHead}..${firstHead + group - 1} of this KV head)`,
    );
  }
  return attention.subarray(at * size, (at + 1) * size);
}

/** Exact weights of a rectangle. @throws RangeError for a head of another KV head */
export function headWindow(cache: CacheHead, head: number, rect: MapRect): MapWindow {
  const weights = weightsOf(cache, head);
  const tokens = cache.labels.length;
  const { queryStart, queryEnd, keyStart, keyEnd } = rect;
  const columns = keyEnd - keyStart;
  const probabilities = new Float32Array((queryEnd - queryStart) * columns);
  for (let query = queryStart; query < queryEnd; query++) {
    const row = query * tokens;
    probabilities.set(
      weights.subarray(row + keyStart, row + keyEnd),
      (query - queryStart) * columns,
    );
  }
  return { ...rect, probabilities };
}

/** The weights of a head reduced to at most 512 x 512 cells, as `mapBaseSteps` does it. */
export function headBase(cache: CacheHead, head: number): MapBase {
  const weights = weightsOf(cache, head);
  const tokens = cache.labels.length;
  const cells = Math.min(tokens, MAP_CELLS);
  const max = new Float32Array(cells * cells).fill(Number.NaN);
  const mean = new Float32Array(cells * cells).fill(Number.NaN);
  for (let row = 0; row < cells; row++) {
    for (let column = 0; column <= row; column++) {
      let most = Number.NEGATIVE_INFINITY;
      let sum = 0;
      let count = 0;
      for (let q = cellStart(row, tokens, cells); q < cellStart(row + 1, tokens, cells); q++) {
        const end = Math.min(q + 1, cellStart(column + 1, tokens, cells));
        for (let k = cellStart(column, tokens, cells); k < end; k++) {
          const weight = weights[q * tokens + k] as number;
          most = Math.max(most, weight);
          sum += weight;
          count++;
        }
      }
      if (count === 0) continue;
      max[row * cells + column] = most;
      mean[row * cells + column] = sum / count;
    }
  }
  return { rows: cells, columns: cells, queries: tokens, keys: tokens, max, mean };
}

/** What a policy let every query see, as blocks of one element: full is kept, partial is kept in another form. */
export function slotList({ labels, states }: CacheHead): BlockList {
  const tokens = labels.length;
  const offsets = new Uint32Array(tokens + 1);
  const fullCounts = new Uint32Array(tokens);
  const blocks: number[] = [];
  for (let query = 0; query < tokens; query++) {
    const row = states.subarray(query * tokens, (query + 1) * tokens);
    const changed: number[] = [];
    row.forEach((state, key) => {
      if (state === KEPT) blocks.push(key);
      else if (state < DROPPED) changed.push(key);
    });
    fullCounts[query] = blocks.length - (offsets[query] as number);
    blocks.push(...changed);
    offsets[query + 1] = blocks.length;
  }
  return {
    blockQueries: 1,
    blockKeys: 1,
    queryBlocks: tokens,
    keyBlocks: tokens,
    offsets,
    fullCounts,
    blocks: Uint32Array.from(blocks),
  };
}

/** What a slot was to a query, in words. */
export function stateText({ labels, states }: CacheHead, query: number, key: number): string {
  const state = states[query * labels.length + key] ?? UNTOLD;
  if (state === UNSEEN) return 'comes later in the text';
  if (state === UNTOLD) return 'encoded apart';
  return SLOT_STATES[state] ?? 'dropped';
}

/** How much of what the policy was asked for it held, over the queries from a token on. */
export function keptMass(cache: CacheHead, fromQuery: number): number {
  const { labels, states, firstHead, group } = cache;
  const tokens = labels.length;
  let kept = 0;
  let all = 0;
  for (let head = firstHead; head < firstHead + group; head++) {
    const weights = weightsOf(cache, head);
    for (let at = fromQuery * tokens; at < tokens * tokens; at++) {
      const state = states[at] as number;
      if (state === UNSEEN || state === UNTOLD) continue;
      const weight = weights[at] as number;
      all += weight;
      if (state !== DROPPED) kept += weight;
    }
  }
  return all > 0 ? kept / all : Number.NaN;
}
