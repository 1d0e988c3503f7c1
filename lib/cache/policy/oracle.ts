import type { CacheBudget } from '../../spec/cache-policy';
import { cachePolicy } from '../../spec/cache-policy';
import type { Transformer } from '../../transformer/types';
import type { SlotRetrieval } from '../slots/types';
import type { CacheSession } from '../types';
import { slotsPerHead } from './budget';
import type { PolicyOptions } from './registry';
import { openPolicySession } from './run';

/**
 * The slots of largest attention to each query, found with the whole cache in sight: the ceiling of
 * every selector. Query heads that share a KV head share the slots: their weights are summed. Slots
 * from `end` on, of the question and the answer, come on top.
 *
 * @param slots how many
 * @param end tokens of the context
 */
export function oracleTopK(slots: number, end: () => number): SlotRetrieval {
  return (_layer, _kvHead, { queries, position }, head) => {
    const keys = head.rotatedKeys();
    const headSize = keys.length / head.count;
    const group = queries.length / headSize;
    const mass = new Float64Array(head.count);
    for (let member = 0; member < group; member++) {
      const query = queries.subarray(member * headSize, (member + 1) * headSize);
      const weights = mass.map((_, slot) => {
        if (head.positions[slot]! > position) return 0;
        let dot = 0;
        for (let d = 0; d < headSize; d++) dot += query[d]! * keys[slot * headSize + d]!;
        return head.multiplicity[slot]! * Math.exp(dot / Math.sqrt(headSize));
      });
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (let slot = 0; slot < head.count; slot++) mass[slot]! += weights[slot]! / total;
    }
    const all = Int32Array.from(mass, (_, slot) => slot);
    const inContext = all.filter((slot) => head.positions[slot]! < end());
    const best = inContext.sort((a, b) => mass[b]! - mass[a]! || a - b).subarray(0, slots);
    const picked = new Set(best);
    return all.filter((slot) => picked.has(slot) || head.positions[slot]! >= end());
  };
}

/** The full cache, of which each query of a question and its answer attends to the best slots. */
export function openOracle(
  model: Transformer,
  budget: CacheBudget,
  { storage = 'f16' }: PolicyOptions = {},
): CacheSession {
  let tokens = 0;
  let slots = 1;
  const policy = cachePolicy.parse({
    budget: { type: 'ratio', share: 1 },
    storage,
    action: { type: 'none' },
  });
  const session = openPolicySession(policy, model, {
    retrieve: (...row) => oracleTopK(slots, () => tokens)(...row),
  });
  const see = (context: readonly number[]) => {
    tokens = context.length;
    slots = slotsPerHead(budget, tokens, model.config, storage);
  };
  return {
    ...session,
    prefill(context, options) {
      see(context);
      session.prefill(context, options);
    },
    steps: {
      ...session.steps,
      prefill(context, options) {
        see(context);
        return session.steps.prefill(context, options);
      },
    },
  };
}
