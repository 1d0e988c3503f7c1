import { applyRope } from '../position/rope';
import type { Rope } from '../position/rope-frequencies';
import { type AttendOptions, attendPartial } from './attend-partial';
import { checkLength, checkSize } from './checks';
import type { HeadOperands, MergedAttention } from './types';

export interface LatentShape {
  readonly modelSize: number;
  /** Channels r of the cached latent. */
  readonly rank: number;
  /** Channels d_r of the decoupled rotated key, one for all heads. */
  readonly ropeSize: number;
  readonly heads: number;
  /** Channels per head of the part of a key that is not rotated. */
  readonly headSize: number;
  readonly valueSize: number;
}

/** Row-major [input, output] matrices: a row vector multiplies from the left. */
export interface LatentWeights {
  readonly shape: LatentShape;
  /** W_dkv [modelSize, rank]. */
  readonly down: ArrayLike<number>;
  /** W_uk [rank, heads x headSize]. */
  readonly upKey: ArrayLike<number>;
  /** W_uv [rank, heads x valueSize]. */
  readonly upValue: ArrayLike<number>;
  /** W_kr [modelSize, ropeSize]. */
  readonly ropeKey: ArrayLike<number>;
}

/** What is kept per token: latent [tokens, rank] and rotated key [tokens, ropeSize]. */
export interface LatentCache {
  readonly tokens: number;
  readonly latent: Float64Array;
  readonly ropeKey: Float64Array;
}

/** content [heads, queries, headSize] and rope [heads, queries, ropeSize], the latter rotated already. */
export interface LatentQuery {
  readonly queries: number;
  readonly content: ArrayLike<number>;
  readonly rope: ArrayLike<number>;
}

/** Columns [start, start + columns) of a [rows, inner] x [inner, stride] product, [rows, columns]. */
function multiply(
  left: ArrayLike<number>,
  right: ArrayLike<number>,
  size: { readonly rows: number; readonly inner: number; readonly stride: number },
  start: number,
  columns: number,
): Float64Array {
  const product = new Float64Array(size.rows * columns);
  for (let row = 0; row < size.rows; row++) {
    for (let i = 0; i < size.inner; i++) {
      const factor = left[row * size.inner + i]!;
      for (let c = 0; c < columns; c++) {
        const at = row * columns + c;
        product[at] = product[at]! + factor * right[i * size.stride + start + c]!;
      }
    }
  }
  return product;
}

/** Rows of two matrices side by side, [rows, leftSize + rightSize]. */
function concatRows(left: ArrayLike<number>, right: ArrayLike<number>, rows: number) {
  const leftSize = left.length / rows;
  const rightSize = right.length / rows;
  const size = leftSize + rightSize;
  return Float64Array.from({ length: rows * size }, (_, i) => {
    const row = Math.floor(i / size);
    const c = i % size;
    return c < leftSize ? left[row * leftSize + c]! : right[row * rightSize + c - leftSize]!;
  });
}

/**
 * What the cache holds of tokens: c = x W_dkv, and x W_kr rotated to the tokens' positions.
 *
 * @param hidden x [tokens, modelSize]
 * @param positions [tokens]
 * @param rope of ropeSize channels
 * @throws RangeError where a length does not fit
 */
export function compressTokens(
  hidden: ArrayLike<number>,
  positions: ArrayLike<number>,
  weights: LatentWeights,
  rope: Rope,
): LatentCache {
  const { modelSize, rank, ropeSize, heads, headSize, valueSize } = weights.shape;
  for (const [name, size] of Object.entries(weights.shape)) checkSize(name, size);
  const tokens = positions.length;
  checkLength('hidden', hidden, tokens * modelSize);
  checkLength('down', weights.down, modelSize * rank);
  checkLength('ropeKey', weights.ropeKey, modelSize * ropeSize);
  checkLength('upKey', weights.upKey, rank * heads * headSize);
  checkLength('upValue', weights.upValue, rank * heads * valueSize);
  const project = (matrix: ArrayLike<number>, columns: number) =>
    multiply(hidden, matrix, { rows: tokens, inner: modelSize, stride: columns }, 0, columns);
  const ropeKey = applyRope(project(weights.ropeKey, ropeSize), positions, rope);
  return { tokens, latent: project(weights.down, rank), ropeKey };
}

function headQuery(query: LatentQuery, head: number, { headSize, ropeSize }: LatentShape) {
  const cut = (values: ArrayLike<number>, size: number) => {
    const start = head * query.queries * size;
    return Float64Array.from({ length: query.queries * size }, (_, i) => values[start + i]!);
  };
  return { content: cut(query.content, headSize), rope: cut(query.rope, ropeSize) };
}

/** Scores are divided by sqrt(headSize + ropeSize) in both forms, the width of an expanded key. */
function attendHeads(
  query: LatentQuery,
  shape: LatentShape,
  options: Omit<AttendOptions, 'scale'>,
  operands: (head: number, content: Float64Array, rope: Float64Array) => HeadOperands,
): MergedAttention[] {
  checkLength('content', query.content, shape.heads * query.queries * shape.headSize);
  checkLength('rope', query.rope, shape.heads * query.queries * shape.ropeSize);
  const scale = 1 / Math.sqrt(shape.headSize + shape.ropeSize);
  return Array.from({ length: shape.heads }, (_, head) => {
    const { content, rope } = headQuery(query, head, shape);
    return attendPartial(operands(head, content, rope), { ...options, scale });
  });
}

/**
 * Multi-head latent attention with keys and values written out (DeepSeek-V2, 2024): per head
 * K = [c W_uk, rotated key], V = c W_uv.
 *
 * @returns per head: output [queries, valueSize] and lse [queries]
 */
export function attendExpanded(
  query: LatentQuery,
  cache: LatentCache,
  weights: LatentWeights,
  options: Omit<AttendOptions, 'scale'> = {},
): readonly MergedAttention[] {
  const { rank, ropeSize, heads, headSize, valueSize } = weights.shape;
  const expand = (matrix: ArrayLike<number>, head: number, columns: number) =>
    multiply(
      cache.latent,
      matrix,
      { rows: cache.tokens, inner: rank, stride: heads * columns },
      head * columns,
      columns,
    );
  return attendHeads(query, weights.shape, options, (head, content, rope) => ({
    queries: query.queries,
    keys: cache.tokens,
    headSize: headSize + ropeSize,
    valueSize,
    query: concatRows(content, rope, query.queries),
    key: concatRows(expand(weights.upKey, head, headSize), cache.ropeKey, cache.tokens),
    value: expand(weights.upValue, head, valueSize),
  }));
}

/**
 * The absorbed form: q' = q W_uk^T attends to c itself, and W_uv multiplies the attended latent
 * once per query. Equal to `attendExpanded` to rounding; nothing per head and key is written out.
 *
 * @returns per head: output [queries, valueSize] and lse [queries]
 */
export function attendAbsorbed(
  query: LatentQuery,
  cache: LatentCache,
  weights: LatentWeights,
  options: Omit<AttendOptions, 'scale'> = {},
): readonly MergedAttention[] {
  const { rank, ropeSize, heads, headSize, valueSize } = weights.shape;
  const key = concatRows(cache.latent, cache.ropeKey, cache.tokens);
  const attended = attendHeads(query, weights.shape, options, (head, content, rope) => {
    const absorbed = new Float64Array(query.queries * rank);
    for (let q = 0; q < query.queries; q++) {
      for (let r = 0; r < rank; r++) {
        let sum = 0;
        for (let d = 0; d < headSize; d++) {
          sum += content[q * headSize + d]! * weights.upKey[(r * heads + head) * headSize + d]!;
        }
        absorbed[q * rank + r] = sum;
      }
    }
    return {
      queries: query.queries,
      keys: cache.tokens,
      headSize: rank + ropeSize,
      valueSize: rank,
      query: concatRows(absorbed, rope, query.queries),
      key,
      value: cache.latent,
    };
  });
  return attended.map(({ output, lse }, head) => ({
    rows: query.queries,
    valueSize,
    output: multiply(
      output,
      weights.upValue,
      { rows: query.queries, inner: rank, stride: heads * valueSize },
      head * valueSize,
      valueSize,
    ),
    lse,
  }));
}
