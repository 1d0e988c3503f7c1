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
