import type { CacheAction } from '../../spec/cache-actions';
import { type CachePolicy, cachePolicy } from '../../spec/cache-policy';
import { ACTIONS as DEFINITIONS } from './action-table';

/** What may become of the slots that a policy does not keep: one choice, whatever scores them. */
export const ACTIONS = {
  evict: { type: 'evict' },
  quantise: { type: 'quantise', slots: 'victims', form: { type: 'per-token', bits: 4 } },
  merge: { type: 'merge' },
  compensate: { type: 'compensate' },
  project: { type: 'project', slots: 'victims', form: { type: 'low-rank', keyShare: 0.25 } },
  offload: { type: 'offload' },
  recompute: { type: 'recompute', fromLayer: 0 },
} as const satisfies Partial<Record<CacheAction['type'], object>>;
export type ActionName = keyof typeof ACTIONS;
export const ACTION_NAMES = Object.keys(ACTIONS) as readonly ActionName[];

/** Whether a policy with the action can run. */
export function isDefined(name: CacheAction['type']): boolean {
  return name === 'none' || name === 'evict' || DEFINITIONS[name] !== undefined;
}

/**
 * The same policy with another action; slots that were kept otherwise are kept as they are. Only
 * eviction can act on every append or layer by layer: the others act after the prefill.
 */
export function withAction(policy: CachePolicy, action: ActionName): CachePolicy {
  if (action === 'evict') return cachePolicy.parse({ ...policy, action: ACTIONS[action] });
  const { type } = policy.trigger;
  const isOnce = type === 'on-append' || type === 'layer-cascade';
  return cachePolicy.parse({
    ...policy,
    action: ACTIONS[action],
    keptAction: { type: 'none' },
    ...(isOnce ? { trigger: { type: 'after-prefill' } } : {}),
  });
}
