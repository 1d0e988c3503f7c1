import { runSteps, STEP_PRODUCTS } from '../steps';
import { checkHead, checkInteger } from './checks';
import { dot } from './dot';
import { visibleEnd } from './grid';
import type { HeadGeometry, HeadTensors, Selection } from './types';

/** How much of a head a selection keeps. */
export interface SelectionStats {
  /** Pairs that causality leaves, and those of them that are kept. */
  readonly visiblePairs: number;
  readonly keptPairs: number;
  /** keptPairs / visiblePairs. */
  readonly density: number;
  /** Mean over queries that see any key of the dense probability that is kept. */
  readonly massRecall: number;
}

/** Keys, by original position, that lie in a kept block of one query block: 1 = kept. */
function fillKeptKeys(
  geometry: HeadGeometry,
  selection: Selection,
  queryBlock: number,
  kept: Uint8Array,
): void {
  const { offsets, blocks, blockKeys, keyOrder } = selection;
  kept.fill(0);
  for (let e = offsets[queryBlock] as number; e < (offsets[queryBlock + 1] as number); e++) {
    const start = (blocks[e] as number) * blockKeys;
    const end = Math.min(geometry.keys, start + blockKeys);
    if (keyOrder === undefined) kept.fill(1, start, end);
    else for (let slot = start; slot < end; slot++) kept[keyOrder[slot] as number] = 1;
  }
}

/** Keys seen by one query, [keys], from those of its block. */
function fillRow(
  geometry: HeadGeometry,
  selection: Selection,
  query: number,
  blockKept: Uint8Array,
  row: Uint8Array,
): void {
  const { lines } = selection;
  const position = geometry.keys - geometry.queries + query;
  const end = visibleEnd(geometry, query);
  row.set(blockKept);
  row.fill(0, end);
  if (lines === undefined) return;
  for (let k = 0; k < end; k++) {
    const onLine = lines.columns[k] === 1 || lines.diagonals[position - k] === 1;
    if (!onLine) row[k] = 0;
  }
}

/** The selection as a predicate on (query, original key position), causality applied. */
export function selectionMask(
  geometry: HeadGeometry,
  selection: Selection,
): (query: number, key: number) => boolean {
  const kept = new Uint8Array(geometry.keys);
  const row = new Uint8Array(geometry.keys);
  let block = -1;
  let query = -1;
  return (q, k) => {
    if (q !== query) {
      query = q;
      const queryBlock = Math.floor(q / selection.blockQueries);
      if (queryBlock !== block) fillKeptKeys(geometry, selection, queryBlock, kept);
      block = queryBlock;
      fillRow(geometry, selection, q, kept, row);
    }
    return row[k] === 1;
  };
}

/** One query's softmax over part of its keys: its row maximum, sum of exponentials, and, where values are asked for, their weighted sum. */
interface PartialSoftmax {
  maximum: number;
  sum: number;
  readonly output: Float64Array;
}

/**
 * Visits every `rowStride`-th query with its softmax over the kept keys and over the others; their
 * log-sum-exp merge is the dense row, so that one pass serves both. Yields the share done every few
 * milliseconds.
 */
function* visitRows(
  head: HeadTensors,
  selection: Selection,
  rowStride: number,
  withValues: boolean,
  visit: (
    kept: PartialSoftmax,
    dropped: PartialSoftmax,
    keys: { readonly kept: number; readonly inBlocks: number; readonly visible: number },
  ) => void,
): Generator<number, void> {
  const { queries, keys, headSize } = head;
  const scale = 1 / Math.sqrt(headSize);
  const blockKept = new Uint8Array(keys);
  const row = new Uint8Array(keys);
  const scores = new Float64Array(keys);
  const parts: readonly [PartialSoftmax, PartialSoftmax] = [
    { maximum: 0, sum: 0, output: new Float64Array(headSize) },
    { maximum: 0, sum: 0, output: new Float64Array(headSize) },
  ];
  let block = -1;
  let products = 0;
  for (let q = 0; q < queries; q += rowStride) {
    if (products > STEP_PRODUCTS) {
      yield q / queries;
      products = 0;
    }
    const queryBlock = Math.floor(q / selection.blockQueries);
    if (queryBlock !== block) fillKeptKeys(head, selection, queryBlock, blockKept);
    block = queryBlock;
    fillRow(head, selection, q, blockKept, row);
    for (const part of parts) {
      part.maximum = -Infinity;
      part.sum = 0;
      part.output.fill(0);
    }
    const end = visibleEnd(head, q);
    products += end * headSize * (withValues ? 2 : 1);
    let keptKeys = 0;
    let inBlocks = 0;
    for (let k = 0; k < end; k++) {
      const score = dot(head.query, q * headSize, head.key, k * headSize, headSize) * scale;
      scores[k] = score;
      const part = parts[row[k] === 1 ? 0 : 1];
      if (score > part.maximum) part.maximum = score;
      keptKeys += row[k] as number;
      inBlocks += blockKept[k] as number;
    }
    for (let k = 0; k < end; k++) {
      const part = parts[row[k] === 1 ? 0 : 1];
      const weight = Math.exp((scores[k] as number) - part.maximum);
      part.sum += weight;
      if (!withValues) continue;
      const { output } = part;
      for (let d = 0; d < headSize; d++) {
        output[d] = (output[d] as number) + weight * (head.value[k * headSize + d] as number);
      }
    }
    visit(parts[0], parts[1], { kept: keptKeys, inBlocks, visible: end });
  }
}

/** Weight of a part in the merge of two: 0 for an empty one. */
function mergeFactor(part: PartialSoftmax, other: PartialSoftmax): number {
  return part.sum === 0 ? 0 : Math.exp(part.maximum - Math.max(part.maximum, other.maximum));
}

/** Mass of the dense row that is kept. */
function keptMass(kept: PartialSoftmax, dropped: PartialSoftmax): number {
  const keptSum = kept.sum * mergeFactor(kept, dropped);
  return keptSum / (keptSum + dropped.sum * mergeFactor(dropped, kept));
}

/** Relative L2 distance of kept rows from dense ones, row by row. */
function makeErrorSum(headSize: number) {
  let difference = 0;
  let norm = 0;
  return {
    add: (kept: PartialSoftmax, dropped: PartialSoftmax) => {
      const keptFactor = mergeFactor(kept, dropped);
      const droppedFactor = mergeFactor(dropped, kept);
      const sum = kept.sum * keptFactor + dropped.sum * droppedFactor;
      for (let d = 0; d < headSize; d++) {
        const keptOut = kept.output[d] as number;
        const dense = (keptOut * keptFactor + (dropped.output[d] as number) * droppedFactor) / sum;
        const masked = kept.sum === 0 ? 0 : keptOut / kept.sum;
        difference += (masked - dense) ** 2;
        norm += dense ** 2;
      }
    },
    value: () => (difference === 0 ? 0 : Math.sqrt(difference / norm)),
  };
}

/** Realised density and mass recall of a selection against dense attention; O(queries x keys x headSize). */
export function selectionStats(head: HeadTensors, selection: Selection): SelectionStats {
  return runSteps(selectionStatsSteps(head, selection));
}

/** `selectionStats` in slices: yields the share done every few milliseconds. */
export function* selectionStatsSteps(
  head: HeadTensors,
  selection: Selection,
): Generator<number, SelectionStats> {
  checkHead(head);
  let visiblePairs = 0;
  let keptPairs = 0;
  let mass = 0;
  let rows = 0;
  yield* visitRows(head, selection, 1, false, (kept, dropped, keys) => {
    if (keys.visible === 0) return;
    mass += keptMass(kept, dropped);
    rows++;
    visiblePairs += keys.visible;
    keptPairs += keys.kept;
  });
  return {
    visiblePairs,
    keptPairs,
    density: visiblePairs === 0 ? 0 : keptPairs / visiblePairs,
    massRecall: rows === 0 ? 0 : mass / rows,
  };
}

/**
 * Relative L2 error of the output: |O_selected - O_dense| / |O_dense| over all queries. A query with
 * no kept key has output 0.
 *
 * @param options.rowStride look at every n-th query only. Default 1.
 */
export function maskedOutputError(
  head: HeadTensors,
  selection: Selection,
  options: { readonly rowStride?: number } = {},
): number {
  return runSteps(maskedOutputErrorSteps(head, selection, options));
}

/** `maskedOutputError` in slices: yields the share done every few milliseconds. */
export function* maskedOutputErrorSteps(
  head: HeadTensors,
  selection: Selection,
  options: { readonly rowStride?: number } = {},
): Generator<number, number> {
  const { rowStride = 1 } = options;
  checkHead(head);
  checkInteger('rowStride', rowStride, 1, 2 ** 24);
  const error = makeErrorSum(head.headSize);
  yield* visitRows(head, selection, rowStride, true, (kept, dropped, { visible }) => {
    if (visible > 0) error.add(kept, dropped);
  });
  return error.value();
}

/** Figures of a selection on a sample of its queries. */
export interface SampledFigures {
  /** Share of the pairs that causality leaves: kept, and in kept blocks, which kernels visit whole. */
  readonly density: number;
  readonly blockDensity: number;
  readonly massRecall: number;
  readonly outputError: number;
}

/** `selectionStats` and `maskedOutputError` of every `rowStride`-th query, in one pass. */
export function sampleFigures(
  head: HeadTensors,
  selection: Selection,
  rowStride: number,
): SampledFigures {
  checkHead(head);
  checkInteger('rowStride', rowStride, 1, 2 ** 24);
  const error = makeErrorSum(head.headSize);
  const pairs = { visible: 0, kept: 0, inBlocks: 0 };
  let mass = 0;
  let rows = 0;
  const visit = visitRows(head, selection, rowStride, true, (kept, dropped, keys) => {
    if (keys.visible === 0) return;
    error.add(kept, dropped);
    mass += keptMass(kept, dropped);
    rows++;
    pairs.visible += keys.visible;
    pairs.kept += keys.kept;
    pairs.inBlocks += keys.inBlocks;
  });
  runSteps(visit);
  return {
    density: rows === 0 ? 0 : pairs.kept / pairs.visible,
    blockDensity: rows === 0 ? 0 : pairs.inBlocks / pairs.visible,
    massRecall: rows === 0 ? 0 : mass / rows,
    outputError: error.value(),
  };
}
