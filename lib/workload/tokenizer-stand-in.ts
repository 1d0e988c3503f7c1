/** How text is cut where no tokenizer is there. */
export interface StandIn {
  readonly type: 'characters' | 'words';
  /** Length of the pieces of `characters`. */
  readonly charactersPerToken: number;
}

/** A word, or a single mark between words. */
const WORD = /[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu;

/** What the stand-in is, for the reader. */
export function standInText({ type, charactersPerToken }: StandIn): string {
  return type === 'words'
    ? 'an estimate, not a tokenizer: each word or mark counts as one token'
    : `an estimate, not a tokenizer: every ${charactersPerToken} characters count as one token`;
}

/**
 * Ids of the pieces of a text, in order: 31-bit hashes (FNV-1a), so equal pieces have equal ids and
 * different ones nearly always have different ones.
 */
export function standInIds(text: string, standIn: StandIn): number[] {
  if (standIn.type === 'words')
    return Array.from(text.matchAll(WORD), ([word]) => hashOf(word, 0, word.length));
  const { charactersPerToken: length } = standIn;
  return Array.from({ length: Math.ceil(text.length / length) }, (_, i) =>
    hashOf(text, i * length, Math.min(text.length, (i + 1) * length)),
  );
}

function hashOf(text: string, from: number, to: number): number {
  let hash = 2166136261;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619);
  return hash >>> 1;
}
