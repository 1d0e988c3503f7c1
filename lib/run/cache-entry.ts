import type { CacheSession } from '../cache/types';
import { policyOf } from '../evaluate/policies';
import type { CacheEntry } from '../spec/kinds/cache';
import type { Transformer } from '../transformer/types';
import type { EvaluationJob } from './evaluation-service';

/** What the evaluating workers are told of an entry. */
export function choiceOf(entry: CacheEntry): Pick<EvaluationJob, 'policyId' | 'budget'> {
  if (entry.type === 'preset') {
    return { policyId: entry.id, budget: { type: 'ratio', share: entry.share } };
  }
  throw new Error('composed policies are not here yet');
}

/** A session of an entry in this thread. @throws RangeError for an unknown policy */
export function openEntry(entry: CacheEntry, model: Transformer): CacheSession {
  const { policyId, budget } = choiceOf(entry);
  return policyOf(policyId).open(model, budget);
}

/** Where an entry is from. */
export function describeEntry(entry: CacheEntry): {
  readonly source: string;
  readonly defaults: string;
  readonly isOracle: boolean;
} {
  if (entry.type === 'composed') {
    return {
      source: 'composed in this cell',
      defaults: 'Every part is as written.',
      isOracle: false,
    };
  }
  try {
    const { source, defaults, oracle = false } = policyOf(entry.id);
    return { source, defaults, isOracle: oracle };
  } catch {
    return { source: 'unknown', defaults: '', isOracle: false };
  }
}
