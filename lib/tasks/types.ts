/** One question about a context, and the answer a perfect reader gives. */
export interface Turn {
  /** What kind of lookup it is: results are reported per kind. */
  readonly kind: string;
  /** Tokens that pose the question; generation starts after the last of them. */
  readonly question: readonly number[];
  /** Tokens that must be generated, in order, without the closing mark. */
  readonly answer: readonly number[];
  /** Spans of the context, [start, end), that a reader needs. */
  readonly evidence: readonly (readonly [number, number])[];
  /** Place of the first needed span in the context, 0 (start) to 1 (end). */
  readonly depth: number;
}

/** A context and the questions asked of it, one after another or each on its own. */
export interface TaskSample {
  /** Starts with the begin-of-sequence token. */
  readonly context: readonly number[];
  readonly turns: readonly Turn[];
  /** First token of every separately encodable part of the context (documents); absent when it is one text. */
  readonly chunkStarts?: readonly number[];
}

/** Sizes that every generator understands; each task documents the further ones it reads. */
export interface TaskSize {
  /** Tokens of the context, begin-of-sequence included. */
  readonly contextTokens: number;
}
