/**
 * Attention of some queries over one set of keys: output [rows, valueSize], row-major, softmaxed
 * over that set alone, and lse [rows], the log of the sum of exponentials of its scores. A row that
 * sees no key has lse -Infinity, and its output counts for nothing.
 */
export interface PartialAttention {
  readonly rows: number;
  readonly valueSize: number;
  readonly output: Float32Array | Float64Array;
  readonly lse: Float32Array | Float64Array;
}

/** What every composition returns, in f64. */
export interface MergedAttention extends PartialAttention {
  readonly output: Float64Array;
  readonly lse: Float64Array;
}

/** One head: query [queries, headSize], key [keys, headSize], value [keys, valueSize], row-major. */
export interface HeadOperands {
  readonly queries: number;
  readonly keys: number;
  readonly headSize: number;
  readonly valueSize: number;
  readonly query: ArrayLike<number>;
  readonly key: ArrayLike<number>;
  readonly value: ArrayLike<number>;
}
