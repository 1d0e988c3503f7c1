import { coverOf } from '../block-list';
import { visitScores } from '../map';
import type { AttentionInputs } from '../types';
import { fastExponential } from './fast-exponential';
import type { KeptRows, RowProducts } from './types';

/** Probabilities of one row of a call, and the log-sum-exp of its scores, which is kept per row. */
export interface SoftmaxRows {
  /** Keys of the row read last, [first, end), outside of which all are masked. */
  readonly extent: { readonly first: number; readonly end: number };
  /**
   * Fills `weights` with exp(score - lse) where [keyStart, keyEnd) and the extent meet, NaN where
   * masked; returns the whole row's log-sum-exp.
   */
  readonly read: (
    batch: number,
    head: number,
    query: number,
    keyStart: number,
    keyEnd: number,
    weights: Float64Array,
  ) => number;
  /** Makes the dot products of queries [start, end) at once, for `read`; an empty range forgets them. */
  readonly prepare: (
    batch: number,
    head: number,
    start: number,
    end: number,
    products: RowProducts,
  ) => void;
}

/**
 * Rows of an attention call: the first look at a row reads all of it, later ones only what they ask
 * for.
 *
 * @param lse [batch, queryHeads, queries], where they are known from the start
 */
export function softmaxRows(inputs: AttentionInputs, lse?: ArrayLike<number>): SoftmaxRows {
  const { batch: batches, queryHeads, queries, keys } = inputs.shape;
  const known = new Float64Array(batches * queryHeads * queries).fill(Number.NaN);
  if (lse !== undefined) known.set(lse);
  let prepared: PreparedDots | undefined;
  const extent = { first: 0, end: keys };
  const keptKeys = new WeakMap<RowProducts, Map<number, KeptRows>>();
  return {
    extent,
    prepare(batch, head, start, end, products) {
      const kept = keptKeys.get(products) ?? new Map<number, KeptRows>();
      keptKeys.set(products, kept);
      prepared =
        end > start
          ? prepareDots(inputs, kept, { batch, head, start, end, products }, prepared?.dots)
          : undefined;
    },
    read(batch, head, query, keyStart, keyEnd, scores) {
      const row = (batch * queryHeads + head) * queries + query;
      const isKnown = !Number.isNaN(known[row]);
      const [start, end] = isKnown ? [keyStart, keyEnd] : [0, keys];
      extent.first = start;
      extent.end = end;
      if (prepared !== undefined && holds(prepared, batch, head, query)) {
        extent.first = Math.max(start, prepared.first);
        extent.end = Math.max(extent.first, Math.min(end, prepared.past));
        fillPrepared(inputs, prepared, query, extent.first, extent.end, scores);
        if (isKnown) shiftedExponentials(scores, extent.first, extent.end, known[row]!);
        else known[row] = fastSoftmax(scores, extent.first, extent.end);
        return known[row]!;
      }
      scores.fill(Number.NaN, start, end);
      visitScores(inputs, batch, head, query, start, end, (k, score) => {
        scores[k] = score;
      });
      if (isKnown) exponentiate(scores, extent.first, extent.end, known[row]!);
      else known[row] = softmax(scores, extent.first, extent.end);
      return known[row] as number;
    },
  };
}

/** Keys whose visibility is asked for at once. */
const BLOCK_KEYS = 64;
const PANEL_KEYS = 8;

interface Range {
  readonly batch: number;
  readonly head: number;
  readonly start: number;
  readonly end: number;
}

/** Dot products of some queries with all keys that some of them may see. */
interface PreparedDots extends Range {
  /** [end - start, stride]; anything where a block is not seen. */
  readonly dots: Float32Array;
  readonly stride: number;
  /** Of every block of 64 keys. */
  readonly covers: readonly ('none' | 'some' | 'all')[];
  /** Keys [first, past) that are in a block some query may see. */
  readonly first: number;
  readonly past: number;
}

const holds = ({ batch, head, start, end }: PreparedDots, b: number, h: number, query: number) =>
  b === batch && h === head && query >= start && query < end;

function prepareDots(
  inputs: AttentionInputs,
  kept: Map<number, KeptRows>,
  { batch, head, start, end, products }: Range & { readonly products: RowProducts },
  reused: Float32Array | undefined,
): PreparedDots {
  const { shape, program, query, key } = inputs;
  const { queryHeads, kvHeads, queries, keys, headSize } = shape;
  const kvHead = batch * kvHeads + Math.floor(head / (queryHeads / kvHeads));
  const rows =
    kept.get(kvHead) ??
    products.keep(
      key.subarray(kvHead * keys * headSize, (kvHead + 1) * keys * headSize),
      keys,
      headSize,
    );
  kept.set(kvHead, rows);
  const cover = coverOf(program, shape, batch, head, head);
  const covers = Array.from({ length: Math.ceil(keys / BLOCK_KEYS) }, (_, block) =>
    cover(start, end, block * BLOCK_KEYS, Math.min(keys, (block + 1) * BLOCK_KEYS)),
  );
  const count = end - start;
  const { stride } = rows;
  const length = count * stride;
  const dots = reused?.length === length ? reused : new Float32Array(length);
  const at = ((batch * queryHeads + head) * queries + start) * headSize;
  const x = query.subarray(at, at + count * headSize);
  for (let block = 0; block < covers.length; ) {
    if (covers[block] === 'none') {
      block++;
      continue;
    }
    let past = block + 1;
    while (past < covers.length && covers[past] !== 'none') past++;
    const first = (block * BLOCK_KEYS) / PANEL_KEYS;
    const last = Math.min((past * BLOCK_KEYS) / PANEL_KEYS, stride / PANEL_KEYS);
    const width = (last - first) * PANEL_KEYS;
    const part = products.multiply(x, count, rows, first, last);
    for (let i = 0; i < count; i++) {
      dots.set(part.subarray(i * width, (i + 1) * width), i * stride + first * PANEL_KEYS);
    }
    block = past;
  }
  const first = covers.findIndex((each) => each !== 'none');
  const last = covers.findLastIndex((each) => each !== 'none');
  return {
    batch,
    head,
    start,
    end,
    dots,
    stride,
    covers,
    first: Math.max(0, first) * BLOCK_KEYS,
    past: Math.min(keys, (last + 1) * BLOCK_KEYS),
  };
}

/** Scores of a prepared row in [keyStart, keyEnd), NaN where masked. */
function fillPrepared(
  { shape, program }: AttentionInputs,
  { batch, head, start, dots, stride, covers }: PreparedDots,
  query: number,
  keyStart: number,
  keyEnd: number,
  scores: Float64Array,
): void {
  const { isVisible, modify } = program;
  const scale = 1 / Math.sqrt(shape.headSize);
  const at = (query - start) * stride;
  for (let block = Math.floor(keyStart / BLOCK_KEYS); block * BLOCK_KEYS < keyEnd; block++) {
    const cover = covers[block];
    const first = Math.max(keyStart, block * BLOCK_KEYS);
    const end = Math.min(keyEnd, (block + 1) * BLOCK_KEYS);
    if (cover === 'none') {
      scores.fill(Number.NaN, first, end);
      continue;
    }
    for (let k = first; k < end; k++) scores[k] = dots[at + k]! * scale;
    if (modify !== undefined) {
      for (let k = first; k < end; k++) scores[k] = modify(batch, head, query, k, scores[k]!);
    }
    if (cover === 'all') continue;
    for (let k = first; k < end; k++) {
      if (!isVisible(batch, head, query, k)) scores[k] = Number.NaN;
    }
  }
}

/** `exponentiate` for scores that were computed in f32. */
function shiftedExponentials(scores: Float64Array, first: number, end: number, lse: number): void {
  for (let k = first; k < end; k++) {
    const score = scores[k]!;
    if (!Number.isNaN(score)) scores[k] = lse === -Infinity ? 0 : fastExponential(score - lse);
  }
}

/** `softmax` for scores that were computed in f32. */
function fastSoftmax(scores: Float64Array, first: number, end: number): number {
  let maximum = -Infinity;
  for (let k = first; k < end; k++) if (scores[k]! > maximum) maximum = scores[k]!;
  if (maximum === -Infinity) {
    shiftedExponentials(scores, first, end, maximum);
    return maximum;
  }
  let sum = 0;
  for (let k = first; k < end; k++) {
    const score = scores[k]!;
    // NaN is masked, and stays.
    if (Number.isNaN(score)) continue;
    const exponential = fastExponential(score - maximum);
    scores[k] = exponential;
    sum += exponential;
  }
  const scale = 1 / sum;
  for (let k = first; k < end; k++) scores[k] = scores[k]! * scale;
  return maximum + Math.log(sum);
}

/** Scores <- exp(score - lse) in [first, end); 0 where the row has no finite score. */
function exponentiate(scores: Float64Array, first: number, end: number, lse: number): void {
  for (let k = first; k < end; k++) {
    const score = scores[k]!;
    if (!Number.isNaN(score)) scores[k] = lse === -Infinity ? 0 : Math.exp(score - lse);
  }
}

/**
 * Scores <- their softmax in [first, end), NaN left out; returns their log-sum-exp, -Infinity where
 * there is nothing. One exponential per score.
 */
function softmax(scores: Float64Array, first: number, end: number): number {
  let maximum = -Infinity;
  // No comparison lets NaN through.
  for (let k = first; k < end; k++) if (scores[k]! > maximum) maximum = scores[k]!;
  if (maximum === -Infinity) {
    exponentiate(scores, first, end, maximum);
    return maximum;
  }
  let sum = 0;
  for (let k = first; k < end; k++) {
    const score = scores[k]!;
    if (Number.isNaN(score)) continue;
    const exponential = Math.exp(score - maximum);
    scores[k] = exponential;
    sum += exponential;
  }
  const scale = 1 / sum;
  for (let k = first; k < end; k++) scores[k] = scores[k]! * scale;
  return maximum + Math.log(sum);
}
