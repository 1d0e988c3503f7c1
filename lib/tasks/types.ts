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
  /** Where the question stands in a repeated or queried stretch, for results by offset. */
  readonly offset?: number;
  /** True -log p of each token of the question, in nats: such a question is scored, not answered. */
  readonly surprisalNats?: readonly number[];
}

/** A change of a text: `removed` tokens from `start` on give way to `inserted`. */
export interface ContextEdit {
  readonly kind: 'insert' | 'delete' | 'replace';
  /** The text before the edit; the sample's context is the text after it. */
  readonly before: readonly number[];
  readonly start: number;
  readonly removed: number;
  readonly inserted: readonly number[];
}

/** A context and the questions asked of it, one after another or each on its own. */
export interface TaskSample {
  /** Starts with the begin-of-sequence token. */
  readonly context: readonly number[];
  readonly turns: readonly Turn[];
  /** First token of every separately encodable part of the context (documents); absent when it is one text. */
  readonly chunkStarts?: readonly number[];
  /** How the context came about, where it was edited. */
  readonly edit?: ContextEdit;
}

/** Sizes that every generator understands; each task documents the further ones it reads. */
export interface TaskSize {
  /** Tokens of the context, begin-of-sequence included. */
  readonly contextTokens: number;
}
