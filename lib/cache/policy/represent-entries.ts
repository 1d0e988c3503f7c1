import { type CacheBudget, cachePolicy } from '../../spec/cache-policy';
import type { Transformer } from '../../transformer/types';
import type { CacheSession } from '../types';
import { slotsPerHead } from './budget';
import { isQueryAware } from './needs';
import { REPRESENT_PRESETS } from './presets-represent';
import type { PolicyEntry, PolicyOptions } from './registry';
import { type RepresentPreset, WHOLE } from './represent-preset';
import { openPolicySession, type PolicySession } from './run';

/** Groups of channels follow the model; what a policy looks at does not. */
const ANY_SHAPE = { headSize: 16, kvHeads: 4 } as const;

/** The presets as policies. */
export const REPRESENTING: readonly PolicyEntry[] = REPRESENT_PRESETS.map(
  ({ budget: budgetOf, policy, ...about }) => ({
    ...about,
    queryAware: isQueryAware(cachePolicy.parse(policy(1, WHOLE, ANY_SHAPE))),
    budgetOf,
    open: (model, budget, options = {}) => openAtPrefill(model, budget, options, policy),
  }),
);

/** A session whose policy is made when the context is known: a share of numbers needs its length. */
function openAtPrefill(
  model: Transformer,
  budget: CacheBudget,
  { storage, samples }: PolicyOptions,
  policyAt: RepresentPreset['policy'],
) {
  let session: PolicySession | undefined;
  const opened = () => {
    if (!session) throw new Error('no context: prefill comes first');
    return session;
  };
  function openFor(context: readonly number[]): PolicySession {
    const slots = slotsPerHead(budget, context.length, model.config, storage ?? 'f16');
    const parsed = cachePolicy.parse({
      ...policyAt(slots / context.length, budget, model.config),
      ...(storage ? { storage } : {}),
    });
    session = openPolicySession(parsed, model, samples ? { samples } : {});
    return session;
  }
  return {
    prefill: (context, options) => openFor(context).prefill(context, options),
    steps: {
      prefill: (context, options) => openFor(context).steps.prefill(context, options),
      ask: (...args) => opened().steps.ask(...args),
    },
    ask: (question, count, stop) => opened().ask(question, count, stop),
    rewind: () => opened().rewind(),
    ledger: () => opened().ledger(),
    slots: (layer, kvHead) => opened().slots(layer, kvHead),
    dropped: (layer, kvHead) => opened().dropped(layer, kvHead),
  } satisfies CacheSession;
}
