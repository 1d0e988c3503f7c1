import { ACTION_NAMES, withAction } from '../../lib/cache/policy/with-action';
import type { CachePolicy } from '../../lib/spec/cache-policy';
import { cachePolicy } from '../../lib/spec/cache-policy';
import type { CacheEntry } from '../../lib/spec/kinds/cache';

export type ComposedEntry = Extract<CacheEntry, { type: 'composed' }>;

/** Scorers that one chooses from by name; every number of theirs is among the parts. */
export const SCORERS: Readonly<Record<string, object>> = {
  'attention of a window': { type: 'attention', queries: 'window', windowTokens: 16 },
  'attention of all queries': { type: 'attention', queries: 'all' },
  'attention of the last query': { type: 'attention', queries: 'last' },
  'expected attention': { type: 'expected-attention' },
  position: { type: 'position' },
  'key norm': { type: 'key-norm', keep: 'low' },
  'value norm': { type: 'value-norm', keep: 'high' },
  'distance to the mean key': { type: 'key-mean-cosine', rope: 'before' },
  random: { type: 'random' },
  'attention of the answer (oracle)': { type: 'future-attention' },
};

/** The name of a scorer, or undefined where no choice has all of its parts. */
export function scorerName(scorer: CachePolicy['scorer']): string | undefined {
  return Object.entries(SCORERS).find(([, parts]) =>
    Object.entries(parts).every(
      ([name, value]) => (scorer as Readonly<Record<string, unknown>>)[name] === value,
    ),
  )?.[0];
}

/** The same scorer under each other action, as entries to run beside it. */
export function otherActions(entry: ComposedEntry): readonly ComposedEntry[] {
  return ACTION_NAMES.filter((name) => name !== entry.policy.action.type).map((name) => ({
    type: 'composed',
    label: `${entry.label.replace(/, \w+$/, '').slice(0, 26)}, ${name}`,
    policy: withAction(entry.policy, name),
  }));
}

/** A policy to begin with: a window's attention decides, the rest is evicted. */
export function newComposed(entries: readonly CacheEntry[]): ComposedEntry {
  const before = entries.filter(({ type }) => type === 'composed').length;
  return {
    type: 'composed',
    label: `composed ${before + 1}`,
    policy: cachePolicy.parse({
      budget: { type: 'ratio', share: 0.25 },
      scorer: SCORERS['attention of a window'],
      selector: { recent: { type: 'tokens', tokens: 16 } },
    }),
  };
}
