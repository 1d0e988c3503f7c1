import { POLICIES } from '../cache/policies';
import type { PolicyEntry, PolicyOptions } from '../cache/policy/registry';
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
export function sessionsOf(
  id: string,
  budget: CacheBudget,
  options: PolicyOptions = {},
): SessionFactory {
  const entry = policyOf(id);
  return { label: entry.label, open: (model) => entry.open(model, budget, options) };
}

/** How a policy finds the gates of heads by itself; undefined where it has no classes of heads. */
export function classifierOf(id: string): CachePolicy['classifier'] | undefined {
  const classifier = POLICIES.get(id)?.parts?.({ type: 'ratio', share: 0.25 }).classifier;
  return classifier?.type === 'none' ? undefined : classifier;
}

/** Sessions of a policy given part by part. */
export function composedSessions(policy: CachePolicy): SessionFactory {
  return { label: 'composed', open: (model) => openPolicySession(policy, model) };
}
