import { dropped, splitColumns } from './codecs/split';
import type { Matrix, MatrixCodec } from './matrix';

/** Euclidean length of every channel, [columns]. */
export function channelNorms({ rows, columns, data }: Matrix): Float64Array {
  const squares = new Float64Array(columns);
  for (let row = 0, i = 0; row < rows; row++) {
    for (let c = 0; c < columns; c++, i++) squares[c] = squares[c]! + data[i]! ** 2;
  }
  return squares.map(Math.sqrt);
}

/**
 * Query-driven score of key channels: |Q_c| times |K_c| over the last queries and all keys (ThinK,
 * Xu et al. 2024). Both must be rotated, or both not.
 */
export function channelScores(queries: Matrix, keys: Matrix): Float64Array {
  const fromQueries = channelNorms(queries);
  return channelNorms(keys).map((norm, c) => norm * fromQueries[c]!);
}

/**
 * The same for pairs of channels that RoPE rotates together (c and c + headSize / 2): length of the
 * pair in the queries times that in the keys. Rotation changes neither, so the score of a pair is
 * the same before and after RoPE; both of its channels carry it.
 */
export function pairScores(queries: Matrix, keys: Matrix): Float64Array {
  const half = keys.columns / 2;
  const pairNorms = (matrix: Matrix) => {
    const norms = channelNorms(matrix);
    return norms.map((_, c) => Math.hypot(norms[c % half]!, norms[(c % half) + half]!));
  };
  const fromQueries = pairNorms(queries);
  return pairNorms(keys).map((norm, c) => norm * fromQueries[c]!);
}

/**
 * Flags of the channels to keep when the lowest `ratio` goes. With `inPairs`, channels c and
 * c + columns / 2 go together and the number kept is even.
 *
 * @throws RangeError for a ratio outside 0..1
 */
export function keptChannels(
  scores: ArrayLike<number>,
  ratio: number,
  inPairs: boolean,
): boolean[] {
  if (!(ratio >= 0 && ratio < 1)) throw new RangeError(`invalid ratio: ${ratio} (expected 0..1)`);
  const units = inPairs ? scores.length / 2 : scores.length;
  const order = Array.from({ length: units }, (_, i) => i).sort(
    (i, j) => scores[i]! - scores[j]! || i - j,
  );
  const gone = new Set(order.slice(0, Math.floor(units * ratio)));
  return Array.from({ length: scores.length }, (_, c) => !gone.has(c % units));
}

/** Keeps only the flagged channels, packed; the others read as 0, which leaves them out of q k. */
export function prunedChannels(kept: readonly boolean[], inner: MatrixCodec): MatrixCodec {
  return splitColumns(kept, inner, dropped);
}

/** Flags of the share of channels with the largest range, max - min. */
export function widestChannels({ rows, columns, data }: Matrix, share: number): boolean[] {
  const low = new Float64Array(columns).fill(Infinity);
  const high = new Float64Array(columns).fill(-Infinity);
  for (let i = 0; i < rows * columns; i++) {
    const c = i % columns;
    low[c] = Math.min(low[c]!, data[i]!);
    high[c] = Math.max(high[c]!, data[i]!);
  }
  const order = Array.from({ length: columns }, (_, c) => c).sort(
    (i, j) => high[j]! - low[j]! - (high[i]! - low[i]!) || i - j,
  );
  const widest = new Set(order.slice(0, Math.round(columns * share)));
  return Array.from({ length: columns }, (_, c) => widest.has(c));
}
