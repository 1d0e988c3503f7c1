import { type ComposedSelection, partsIssues } from '../../spec/kinds/selection-parts';
import type { RowProducts } from '../weights/types';
import { checkHead } from './checks';
import { selectComposed } from './composed';
import {
  collectBlocks,
  endQuery,
  firstPosition,
  lastPosition,
  makeGrid,
  makeSelection,
} from './grid';
import { ownSegments, sortSegments } from './pbs';
import type { HeadTensors, Selection } from './types';
import { columnSums, windowScores } from './window-scores';

/** Rows in a new order: row `order[i]` of `values` becomes row i. */
function permuteRows(values: Float32Array, rowSize: number, order: Uint32Array): Float32Array {
  const out = new Float32Array(values.length);
  order.forEach((row, slot) => {
    out.set(values.subarray(row * rowSize, (row + 1) * rowSize), slot * rowSize);
  });
  return out;
}

/**
 * A composed selection, over keys sorted inside segments where its parts have an `order` (PBS-Attn,
 * 2025): complete segments are sorted by the mean attention of the last queries, and the parts
 * choose among blocks of the sorted keys. In a causal head they look at the segments before those of
 * a query block only, which all of its queries see whole; the block's own segments are kept, and
 * causality inside them is exact, as everywhere, by the original position of a key. Blocks with
 * forced keys are kept beside the budget, wherever their keys went.
 *
 * @throws RangeError where the parts do not go together, see `partsIssues`
 */
export function selectOrdered(
  head: HeadTensors,
  parts: ComposedSelection,
  createProducts?: () => RowProducts,
): Selection {
  const { order, ...rest } = parts;
  if (order === undefined) return selectComposed(head, parts, createProducts);
  checkHead(head);
  const [issue] = partsIssues(parts);
  if (issue !== undefined) {
    throw new RangeError(`invalid ${issue.path.join('.')} (${issue.message})`);
  }
  const { segmentTokens, windowQueries } = order;
  const grid = makeGrid(head, parts.queryBlockTokens, parts.blockTokens);
  const window = windowScores(head, windowQueries);
  const keyOrder = sortSegments(columnSums(head, window), segmentTokens);
  const own = Array.from({ length: grid.queryBlocks }, (_, i) =>
    head.causal ? ownSegments(grid, i, segmentTokens) : ([grid.keyBlocks, grid.keyBlocks] as const),
  );
  const seenEnds = new Uint32Array(head.queries);
  own.forEach(([past], i) => {
    const end = Math.min(head.keys, past * grid.blockKeys);
    seenEnds.fill(end, i * grid.blockQueries, endQuery(grid, i));
  });
  const sorted: HeadTensors = {
    ...head,
    key: permuteRows(head.key, head.headSize, keyOrder),
    value: permuteRows(head.value, head.headSize, keyOrder),
    seenEnds,
  };
  const none = { sinkTokens: 0, recentTokens: 0, windowTokens: 0 };
  const chosen = selectComposed(sorted, { ...rest, forced: none }, createProducts);

  const blockOf = new Uint32Array(head.keys);
  keyOrder.forEach((key, slot) => {
    blockOf[key] = Math.floor(slot / grid.blockKeys);
  });
  const { sinkTokens, recentTokens, windowTokens } = parts.forced;
  // Nothing here counts towards a budget, so that recent keys and a window are the same.
  const lastTokens = Math.max(recentTokens, windowTokens);
  const rows = collectBlocks(
    grid,
    (i, keep) => {
      const { offsets, blocks } = chosen;
      for (const block of blocks.subarray(offsets[i], offsets[i + 1])) keep[block] = 1;
      keep.fill(1, ...(own[i] as readonly [number, number]));
      for (const block of blockOf.subarray(0, sinkTokens)) keep[block] = 1;
      if (lastTokens === 0) return;
      const first = Math.max(0, firstPosition(grid, i) - lastTokens + 1);
      const end = Math.max(first, lastPosition(grid, i) + 1);
      for (const block of blockOf.subarray(first, end)) keep[block] = 1;
    },
    keyOrder,
  );
  return makeSelection(grid, rows, {
    pattern: `sorted, ${chosen.pattern}`,
    selectionFlops: window.flops + chosen.selectionFlops,
    keyOrder,
  });
}
