import type { CacheBudget, CachePolicy } from '../../spec/cache-policy';
import type { Transformer } from '../../transformer/types';
import type { CacheSession } from '../types';

/** A published policy, or one to compare with, ready to open at a budget. */
export interface PolicyEntry {
  readonly id: string;
  readonly label: string;
  /** Where it is from: authors, year, and the public code that was read, if any. */
  readonly source: string;
  /** Which of its numbers are the paper's or its code's, and which are ours; one sentence. */
  readonly defaults: string;
  /** Its choice depends on the question if that is in sight. */
  readonly queryAware: boolean;
  /**
   * What the budget is of: `slots` that are kept unless given; slots `attended` by a query, where all
   * are held; `numbers` left of each slot; or nothing, where the bytes are the form's own and are
   * read back.
   */
  readonly budgetOf?: 'slots' | 'attended' | 'numbers' | 'none';
  /** The policy part by part, where it is data alone. */
  parts?(budget: CacheBudget): CachePolicy;
  /** Sees what no policy can know: a ceiling to compare with. */
  readonly oracle?: boolean;
  /** @throws RangeError where the budget cannot be kept */
  open(model: Transformer, budget: CacheBudget, options?: PolicyOptions): CacheSession;
}

export interface PolicyOptions {
  /** Texts as tokens, for what is fitted to a model once; the context itself where none are given. */
  readonly samples?: readonly (readonly number[])[];
  /** Gates of heads, [layers][kvHeads], in place of those that a classifier would find. */
  readonly gates?: readonly (readonly number[])[];
  /** How rows are stored; the policy's own choice (`f16` by default) unless given. */
  readonly storage?: 'f16' | 'f32';
}

/** @throws Error for an id that is there twice */
export function policiesById(
  families: readonly (readonly PolicyEntry[])[],
): ReadonlyMap<string, PolicyEntry> {
  const byId = new Map<string, PolicyEntry>();
  for (const entry of families.flat()) {
    if (byId.has(entry.id)) throw new Error(`policy ${entry.id} is there twice`);
    byId.set(entry.id, entry);
  }
  return byId;
}
