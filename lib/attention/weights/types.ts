/**
 * The matrix by which one head's outputs are made of values, o_t = sum of w[t][s] v_s: probabilities
 * of a softmax, sums or differences of several, or what a recurrence amounts to.
 */
export interface WeightMatrix {
  readonly queries: number;
  readonly keys: number;
  /** Weights may be below 0. */
  readonly isSigned: boolean;
  /**
   * Writes w[query][keyStart .. keyEnd) to the same places of `out` [keys]; NaN where the row does
   * not see the key. Other places may be written too.
   */
  readonly fillRow: (query: number, keyStart: number, keyEnd: number, out: Float64Array) => void;
  /** Keys outside of which all of the row filled last is masked; absent where that is not known. */
  readonly extent?: KeyExtent;
  /**
   * Computes rows [queryStart, queryEnd) in f32 with the products, so that `fillRow` of them takes
   * what is there until other rows are prepared; an empty range forgets them. Absent where there is
   * nothing to gain.
   */
  readonly prepareRows?: (queryStart: number, queryEnd: number, products: RowProducts) => void;
}

/** Keys [first, end). */
export interface KeyExtent {
  readonly first: number;
  readonly end: number;
}

/** Rows [count, size] that others are multiplied with; whoever made them knows where they are. */
export interface KeptRows {
  readonly count: number;
  readonly size: number;
  /** Products of one row: count, rounded up to 8. */
  readonly stride: number;
}

/** Products of f32 rows by the fastest there is: x . kept for every pair. */
export interface RowProducts {
  keep(rows: ArrayLike<number>, count: number, size: number): KeptRows;
  /**
   * Products of rows [count, size] with what is kept, or with its panels of 8 rows from `firstPanel`
   * to before `endPanel`: [count, 8 x panels], zeros past the last kept row. Valid until the next call.
   */
  multiply(
    rows: Float32Array,
    count: number,
    kept: KeptRows,
    firstPanel?: number,
    endPanel?: number,
  ): Float32Array;
}

/** The matrices of a cell, by batch entry and head. */
export type WeightMatrices = (batch: number, head: number) => WeightMatrix;

/** Sizes of a cell's matrices. */
export interface WeightShape {
  readonly batches: number;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
}
