/**
 * What the tokens of the requests are, so far as a prefix cache needs to know: token ids, or hashes
 * that each stand for a block of tokens and everything before it. A request may have fewer ids than
 * tokens; what they do not cover is shared with nobody.
 */
export interface PromptContent {
  /** Tokens that one id stands for: 1 for token ids. */
  readonly tokensPerId: number;
  /** The ids of request i are `ids[offsets[i]]` up to `ids[offsets[i + 1]]`. */
  readonly offsets: Int32Array;
  readonly ids: Int32Array;
}

/** Requests in arrival order, one column each. Arrival times are seconds from the first kept request. */
export interface Workload {
  readonly arrivalSeconds: Float64Array;
  readonly promptTokens: Int32Array;
  readonly outputTokens: Int32Array;
  readonly content?: PromptContent | undefined;
  /** Smaller goes first, where the strategy looks at it; all equal when left out. */
  readonly priority?: Int32Array | undefined;
  /** What the requests are, in words: `600 requests, generated, Azure 2023 conversation lengths`. */
  readonly label: string;
  /** Where they come from: the file's name, or the statistics that the generator was fitted to. */
  readonly source: string;
  readonly seed: number;
  /** Rows that were read but not kept, with the reason; never silent. */
  readonly notes: readonly string[];
}
