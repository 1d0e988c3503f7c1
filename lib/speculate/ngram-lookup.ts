import type { Drafter } from './types';

export interface NgramLookupOptions {
  /** Longest run of last tokens that is looked for, tried before shorter ones. */
  readonly maxNgram?: number;
}

/**
 * Prompt lookup: finds the last tokens earlier in the text, the latest place first, and drafts what
 * followed them there. Costs no model call.
 */
export function ngramLookup({ maxNgram = 3 }: NgramLookupOptions = {}): Drafter {
  if (!(Number.isInteger(maxNgram) && maxNgram > 0)) {
    throw new RangeError(`invalid maxNgram: ${maxNgram} (expected a positive integer)`);
  }
  let read: readonly number[] = [];
  return {
    label: `n-gram lookup (n up to ${maxNgram})`,
    begin({ context, question }) {
      read = [...context, ...question];
    },
    propose(generated, count) {
      return { tokens: lookUp([...read, ...generated], maxNgram, count), modelCalls: 0 };
    },
  };
}

/** What followed the latest earlier place of the longest matching run of last tokens; [] for none. */
export function lookUp(text: readonly number[], maxNgram: number, count: number): number[] {
  for (let length = Math.min(maxNgram, text.length - 1); length > 0; length--) {
    const tail = text.length - length;
    for (let at = tail - 1; at >= 0; at--) {
      let same = 0;
      while (same < length && text[at + same] === text[tail + same]) same++;
      if (same < length) continue;
      return continued(text, at + length, count);
    }
  }
  return [];
}

/** Reads on from a place; past the end of the text it reads what it has itself produced. */
function continued(text: readonly number[], from: number, count: number): number[] {
  const period = text.length - from;
  return Array.from({ length: count }, (_, i) => text[from + (i % period)]!);
}
