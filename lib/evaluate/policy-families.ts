import type { PolicyEntry } from '../cache/policy/registry';
import { POLICIES } from './policies';

/** Policies that do the same kind of thing, as a list offers them. */
export interface PolicyFamily {
  readonly name: string;
  readonly entries: readonly PolicyEntry[];
}

const FAMILIES: readonly (readonly [name: string, ids: readonly string[]])[] = [
  ['baselines', ['full', 'random', 'key-norm', 'sliding-window', 'int8', 'int4']],
  ['evict by position or key', ['streaming-llm', 'keydiff', 'expected-attention']],
  ['evict by attention', ['h2o', 'tova', 'snapkv', 'pyramidkv', 'adakv', 'cake']],
  ['classes of heads', ['duo-attention', 'razor-attention']],
  ['merge', ['kvmerger', 'look-m', 'elastic-cache', 'tempcache']],
  ['quantise', ['kivi', 'gear', 'mikv', 'zipcache', 'zipvl', 'vidkv', 'cachegen']],
  ['project and share', ['think', 'xkv', 'matryoshkakv', 'cskv', 'shadowkv-keys', 'minicache']],
  ['retrieve', ['quest', 'shadowkv', 'rekv', 'v-rex', 'lserve', 'loopserve']],
  ['by layers', ['fastkv', 'lazyllm', 'swiftkv', 'kv-prediction']],
  [
    'reuse chunks, edit',
    [
      'full-recompute',
      'concatenated',
      'ape',
      'cacheblend',
      'cache-craft',
      'kvcomm',
      'edit-prefix',
      'edit-splice',
      'pie',
    ],
  ],
  ['oracles', ['oracle-top-k']],
];

/** Every policy once, by family; those of no family come last. */
export const POLICY_FAMILIES: readonly PolicyFamily[] = familiesOf(POLICIES);

function familiesOf(policies: ReadonlyMap<string, PolicyEntry>): readonly PolicyFamily[] {
  const placed = new Set(FAMILIES.flatMap(([, ids]) => ids));
  const others = [...policies.keys()].filter((id) => !placed.has(id));
  return [...FAMILIES, ['others', others] as const].flatMap(([name, ids]) => {
    const entries = ids.flatMap((id) => policies.get(id) ?? []);
    return entries.length === 0 ? [] : [{ name, entries }];
  });
}

/** What a reader should know of a policy before comparing it with others; undefined where nothing. */
export function policyNotice(entry: PolicyEntry, protocol: string): string | undefined {
  if (entry.oracle === true) return 'an oracle: it looks at what no policy can know';
  if (entry.queryAware && protocol === 'hidden') {
    return 'chooses by queries: with the question hidden it sees those of the context alone when it compresses';
  }
  if (entry.budgetOf === 'none') return 'its form sets the bytes; the share is not used';
  return undefined;
}
