import { fullSession } from '../cache/full-session';
import { type PolicyEntry, policiesById } from '../cache/policy/registry';
import type { SessionFactory } from '../cache/types';
import type { CacheBudget } from '../spec/cache-policy';

const FULL: PolicyEntry = {
  id: 'full',
  label: 'full cache',
  source: 'the baseline of every policy',
  defaults: 'everything is kept in f32; a budget changes nothing',
  queryAware: false,
  open: (model) => fullSession.open(model),
};

/** Policies that can be evaluated, by id. */
export const POLICIES: ReadonlyMap<string, PolicyEntry> = policiesById([[FULL]]);

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
