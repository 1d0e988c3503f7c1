/** Sizes of one head: queries are the last `queries` of the `keys` positions. */
export interface HeadGeometry {
  readonly queries: number;
  readonly keys: number;
  readonly causal: boolean;
  /**
   * One past the last key that each query is scored against, [queries], where causality alone does
   * not say it: of permuted keys a query sees whole segments.
   */
  readonly seenEnds?: Uint32Array;
}

/**
 * One query head and its KV head, row-major f32: query [queries, headSize], key and value
 * [keys, headSize]. Values serve the pattern search and the output error only.
 */
export interface HeadTensors extends HeadGeometry {
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
  readonly headSize: number;
}

/** Element-level lines inside kept blocks: a key is seen when its column or its diagonal is 1. */
export interface Lines {
  /** Per key position. */
  readonly columns: Uint8Array;
  /** Per distance (position of the query - key), 0 .. keys - 1; keys after the query have none. */
  readonly diagonals: Uint8Array;
}

/** What a selector keeps for one head. Causality is not stored: every reader applies it. */
export interface Selection {
  readonly blockQueries: number;
  readonly blockKeys: number;
  readonly queryBlocks: number;
  readonly keyBlocks: number;
  /** Key blocks of query block i: `blocks[offsets[i] .. offsets[i + 1])`, ascending. */
  readonly offsets: Uint32Array;
  readonly blocks: Uint32Array;
  /** Undefined where whole blocks are kept. */
  readonly lines: Lines | undefined;
  /**
   * New order of keys inside segments, or undefined: slot i of the permuted keys holds original key
   * `keyOrder[i]`, and `blocks` count slots.
   */
  readonly keyOrder: Uint32Array | undefined;
  /**
   * 2 x the multiply-adds of the dot products spent on selecting, low-bit ones included; pooling,
   * softmax and sorting are not counted.
   */
  readonly selectionFlops: number;
  readonly pattern: string;
  /** Where the head chose among alternatives: what it took, and why. */
  readonly choice?: HeadChoice;
}

/** Figures of one alternative of a head. */
export interface AlternativeFigures {
  readonly density: number;
  readonly massRecall: number;
  readonly outputError: number;
  /** 4 headSize per pair in kept blocks, whole as kernels visit them, and what selecting costs. */
  readonly flops: number;
}

/** Which alternative a head took. */
export type HeadChoice =
  | {
      readonly by: 'figures';
      /** Index of the alternative. */
      readonly taken: number;
      /** In the order of the alternatives, on a sample of queries. */
      readonly alternatives: readonly AlternativeFigures[];
    }
  | { readonly by: 'divergence'; readonly taken: number; readonly distance: number };
