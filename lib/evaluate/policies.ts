import { POLICIES } from '../cache/policies';
import type { PolicyEntry } from '../cache/policy/registry';
import { openPolicySession } from '../cache/policy/run';
import type { SessionFactory } from '../cache/types';
import type { CacheBudget, CachePolicy } from '../spec/cache-policy';

export { POLICIES };

/** @throws RangeError for an unknown id, with the known ones */
export function policyOf(id: string): PolicyEntry {
  const entry = POLICIES.get(id);
  if (entry === undefined) {
    throw new RangeError(`unknown policy: ${id} (expected ${[...POLICIES.keys()].join(', ')})`);
  }
  return entry;
}

/** Sessions of a policy at a budget. @throws RangeError for an unknown id */
export function sessionsOf(id: string, budget: CacheBudget): SessionFactory {
  const entry = policyOf(id);
  return { label: entry.label, open: (model) => entry.open(model, budget) };
}

/** Sessions of a policy given part by part. */
export function composedSessions(policy: CachePolicy): SessionFactory {
  return { label: 'composed', open: (model) => openPolicySession(policy, model) };
}
