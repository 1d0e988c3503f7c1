import { encodeRows, type PositionEncoding, scoreBias } from './encoding';
import { distanceOf, type Positions } from './rules';

/** Raw queries [queries, headSize] and keys [keys, headSize] of one head, before any rotation. */
export interface RawHead {
  readonly headSize: number;
  readonly query: ArrayLike<number>;
  readonly key: ArrayLike<number>;
}

/**
 * Scaled scores of one head under an encoding and the positions of a rule. Pairs beyond the largest
 * distance are scored as if the query stood there and the key at 0, so that the same two encodings
 * of every row serve all pairs.
 *
 * @returns [queries, keys], q k / sqrt(headSize) plus the encoding's bias, unmasked
 * @throws RangeError where lengths do not fit the positions
 */
export function positionScores(
  head: RawHead,
  positions: Positions,
  encoding: PositionEncoding,
): Float64Array {
  const { headSize } = head;
  const { maxDistance, axes } = positions;
  const queries = positions.query.length / axes;
  const keys = positions.key.length / axes;
  for (const [name, rows] of [
    ['query', queries],
    ['key', keys],
  ] as const) {
    if (head[name].length !== rows * headSize) {
      throw new RangeError(
        `invalid ${name} length: ${head[name].length} (expected ${rows} positions x headSize ${headSize})`,
      );
    }
  }
  const near = {
    query: encodeRows(head.query, positions.query, encoding, 'query'),
    key: encodeRows(head.key, positions.key, encoding, 'key'),
  };
  const far = maxDistance === undefined ? near : encodeFar(head, positions, maxDistance, encoding);
  const scores = new Float64Array(queries * keys);
  for (let q = 0; q < queries; q++) {
    for (let k = 0; k < keys; k++) {
      const distance = distanceOf(positions, q, k);
      const rows = distance === maxDistance ? far : near;
      let dot = 0;
      for (let d = 0; d < headSize; d++) {
        dot += rows.query[q * headSize + d]! * rows.key[k * headSize + d]!;
      }
      scores[q * keys + k] = dot / Math.sqrt(headSize) + scoreBias(encoding, distance);
    }
  }
  return scores;
}

function encodeFar(
  head: RawHead,
  { query, key }: Positions,
  maxDistance: number,
  encoding: PositionEncoding,
) {
  return {
    query: encodeRows(
      head.query,
      new Float64Array(query.length).fill(maxDistance),
      encoding,
      'query',
    ),
    key: encodeRows(head.key, new Float64Array(key.length), encoding, 'key'),
  };
}
