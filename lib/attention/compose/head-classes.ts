/** A retrieval head keeps every key; a streaming head the first and the most recent ones. */
export type HeadClass = 'retrieval' | 'streaming';

/** Keys that a streaming head keeps. */
export interface StreamingWindow {
  readonly sinkTokens: number;
  /** Counts the query's own key. */
  readonly recentTokens: number;
}

/** Whether the query at a position sees the key at another one. */
export type PositionMask = (queryPosition: number, keyPosition: number) => boolean;

/** Windows of DuoAttention's public code: while gates are trained, and deployed. */
export const DUO_TRAINING_WINDOW: StreamingWindow = { sinkTokens: 128, recentTokens: 256 };
export const DUO_DEPLOYED_WINDOW: StreamingWindow = { sinkTokens: 64, recentTokens: 256 };

/**
 * Turns a score per head, such as DuoAttention's learned gate, into classes: the highest
 * round(retrievalShare x heads) are retrieval heads, ties by lower index.
 *
 * @param scores [heads], higher for heads that need the whole context
 * @throws RangeError where the share is outside 0..1 or a score is NaN
 */
export function classifyHeads(
  scores: ArrayLike<number>,
  retrievalShare: number,
): readonly HeadClass[] {
  if (!(retrievalShare >= 0 && retrievalShare <= 1)) {
    throw new RangeError(`invalid retrievalShare: ${retrievalShare} (expected 0..1)`);
  }
  const order = Array.from({ length: scores.length }, (_, head) => head);
  for (const head of order) {
    if (Number.isNaN(scores[head])) {
      throw new RangeError(`invalid score: NaN at head ${head} (expected a number)`);
    }
  }
  order.sort((a, b) => (scores[a]! === scores[b]! ? a - b : scores[b]! - scores[a]!));
  const retrieval = new Set(order.slice(0, Math.round(retrievalShare * scores.length)));
  return Array.from(order, (_, head) => (retrieval.has(head) ? 'retrieval' : 'streaming'));
}

/** Retrieval heads over all heads; 0 for no heads. */
export function shareOfRetrieval(classes: readonly HeadClass[]): number {
  const retrieval = classes.filter((each) => each === 'retrieval').length;
  return classes.length === 0 ? 0 : retrieval / classes.length;
}

/** Causal mask of every head: all keys, or key < sinkTokens or query - key < recentTokens. */
export function headMasks(
  classes: readonly HeadClass[],
  { sinkTokens, recentTokens }: StreamingWindow,
): readonly PositionMask[] {
  return classes.map((each) =>
    each === 'retrieval'
      ? (query, key) => key <= query
      : (query, key) => key <= query && (key < sinkTokens || query - key < recentTokens),
  );
}

/**
 * Keys that the caches of all heads hold after `contextTokens`, over those of full caches:
 * (retrieval T + streaming min(T, sinkTokens + recentTokens)) / (heads T).
 */
export function keptKeysShare(
  classes: readonly HeadClass[],
  { sinkTokens, recentTokens }: StreamingWindow,
  contextTokens: number,
): number {
  const retrieval = shareOfRetrieval(classes);
  const streaming = Math.min(contextTokens, sinkTokens + recentTokens) / contextTokens;
  return retrieval + (1 - retrieval) * streaming;
}
