import { cachePolicy } from '../spec/cache-policy';
import { isQueryAware } from './policy/needs';
import { openOracle } from './policy/oracle';
import { PRESETS } from './policy/presets';
import { FLOW_PRESETS } from './policy/presets-flow';
import { REUSE_PRESETS } from './policy/presets-reuse';
import { type PolicyEntry, policiesById } from './policy/registry';
import { REPRESENTING } from './policy/represent-entries';
import { openPolicySession } from './policy/run';

const EVICTING: readonly PolicyEntry[] = PRESETS.map(({ policy, ...about }) => ({
  ...about,
  queryAware: isQueryAware(cachePolicy.parse(policy({ type: 'ratio', share: 1 }))),
  parts: (budget) => cachePolicy.parse(policy(budget)),
  open(model, budget, options = {}) {
    const { storage, samples, gates } = options;
    const parsed = cachePolicy.parse({ ...policy(budget), ...(storage ? { storage } : {}) });
    return openPolicySession(parsed, model, {
      ...(samples ? { samples } : {}),
      ...(gates ? { gates } : {}),
    });
  },
}));

const ORACLES: readonly PolicyEntry[] = [
  {
    id: 'oracle-top-k',
    label: 'oracle top-k',
    source:
      'a ceiling: the slots of largest attention to each query, with the whole cache in sight',
    defaults:
      'No numbers. Bytes are those of the full cache; the budget is what a query attends to.',
    queryAware: true,
    oracle: true,
    open: openOracle,
  },
];

/** Every policy, by id. A family adds its list here. */
export const POLICIES: ReadonlyMap<string, PolicyEntry> = policiesById([
  EVICTING,
  ORACLES,
  REPRESENTING,
  FLOW_PRESETS,
  REUSE_PRESETS,
]);
