import type { HeadGates } from '../cache/policy/classify';
import type { CacheSession } from '../cache/types';
import { composedSessions, policyOf } from '../evaluate/policies';
import type { CacheEntry } from '../spec/kinds/cache';
import type { Transformer } from '../transformer/types';
import type { EvaluationJob } from './evaluation-service';

/** What the evaluating workers are told of an entry. */
export function choiceOf(
  entry: CacheEntry,
  gates?: HeadGates,
): Pick<EvaluationJob, 'policyId' | 'budget' | 'composed' | 'gates'> {
  return entry.type === 'preset'
    ? {
        policyId: entry.id,
        budget: { type: 'ratio', share: entry.share },
        ...(gates ? { gates } : {}),
      }
    : { policyId: 'composed', budget: entry.policy.budget, composed: entry.policy };
}

/** A session of an entry in this thread. @throws RangeError for an unknown policy */
export function openEntry(entry: CacheEntry, model: Transformer, gates?: HeadGates): CacheSession {
  if (entry.type === 'composed') return composedSessions(entry.policy).open(model);
  return policyOf(entry.id).open(
    model,
    { type: 'ratio', share: entry.share },
    gates ? { gates } : {},
  );
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
