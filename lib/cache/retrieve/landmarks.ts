import { dot, softmax, topIndices } from './choose';

/** Mean keys of runs of rows, and the runs whose mean stands worst for their tokens. */
export interface Landmarks {
  readonly chunks: number;
  /** [chunks, headSize] */
  readonly means: Float32Array;
  /** Chunks with the lowest smallest cosine between a token and the mean, ascending. */
  readonly outliers: Int32Array;
}

/**
 * @param keys rotated, [count, headSize]
 * @param localChunks last chunks, which are kept anyway and are no outliers
 */
export function landmarksOf(
  keys: Float32Array,
  count: number,
  headSize: number,
  chunkTokens: number,
  outlierChunks: number,
  localChunks: number,
): Landmarks {
  const chunks = Math.ceil(count / chunkTokens);
  const means = new Float32Array(chunks * headSize);
  const unlike = new Float64Array(chunks);
  for (let chunk = 0; chunk < chunks; chunk++) {
    const from = chunk * chunkTokens;
    const to = Math.min(count, from + chunkTokens);
    for (let row = from; row < to; row++) {
      for (let d = 0; d < headSize; d++) {
        const at = chunk * headSize + d;
        means[at] = means[at]! + keys[row * headSize + d]! / (to - from);
      }
    }
    let least = Infinity;
    for (let row = from; row < to; row++) {
      least = Math.min(least, cosine(keys, row * headSize, means, chunk * headSize, headSize));
    }
    unlike[chunk] = -least;
  }
  return {
    chunks,
    means,
    outliers: topIndices(unlike.subarray(0, Math.max(0, chunks - localChunks)), outlierChunks),
  };
}

/**
 * ShadowKV's score of a chunk: softmax over chunks of q . landmark / sqrt(d), the largest over the
 * queries that share the KV head.
 */
export function landmarkScores(
  { chunks, means }: Landmarks,
  queries: Float32Array,
  headSize: number,
): Float64Array {
  const best = new Float64Array(chunks);
  for (let from = 0; from < queries.length; from += headSize) {
    const scores = softmax(
      Float64Array.from(
        { length: chunks },
        (_, chunk) => dot(queries, from, means, chunk * headSize, headSize) / Math.sqrt(headSize),
      ),
    );
    for (let chunk = 0; chunk < chunks; chunk++) {
      best[chunk] = Math.max(best[chunk]!, scores[chunk]!);
    }
  }
  return best;
}

export function cosine(
  a: Float32Array,
  atA: number,
  b: Float32Array,
  atB: number,
  length: number,
): number {
  const norms = Math.sqrt(dot(a, atA, a, atA, length) * dot(b, atB, b, atB, length));
  return norms === 0 ? 0 : dot(a, atA, b, atB, length) / norms;
}
