import type { CacheAction } from '../../../spec/cache-actions';
import { type ActedHead, type ActionDefinition, headByHead, plainRun } from '../../policy/actions';
import type { SlotRun } from '../../slots/types';
import { adjacentSets, gaussianGroups, uniformGroups } from '../merge/adjacent-sets';
import { intoNearestKey, intoNearestPosition } from '../merge/into-kept';
import { type MergeGroup, mergeSlots } from '../merge/merge-slots';

/**
 * Share of the budget that goes to the best scored slots on their own: KVMerger leaves tokens of high
 * attention unmerged, and how many is not known to us.
 */
const EXEMPT_SHARE = 0.25;

type MergeAction = Extract<CacheAction, { type: 'merge' }>;

/**
 * Victims merge into kept slots, or neighbours into sets, before RoPE and at the position of the
 * slot that stays. Without `keepCount` the merged slot counts as one token, which is biased.
 */
export const mergeAction: ActionDefinition<'merge'> = headByHead<'merge'>((head, action) => {
  if (head.victims.length === 0 || head.kept.length === 0) return [plainRun(head, head.kept)];
  const groups = groupsOf(head, action);
  const alone = groups.filter(({ members }) => members.length === 1);
  const several = groups.filter(({ members }) => members.length > 1);
  const { keys, values, positions, multiplicity } = mergeSlots(head, several);
  const runs: SlotRun[] = [];
  if (several.length > 0) {
    runs.push({
      form: 'plain',
      state: 'merged',
      headSize: head.headSize,
      keys,
      values,
      positions,
      multiplicity: action.keepCount ? multiplicity : multiplicity.fill(1),
    });
  }
  runs.push(
    plainRun(
      head,
      Int32Array.from(alone, ({ pivot }) => pivot),
    ),
  );
  return runs;
});

/** Groups of a head's slots, as many as are kept at most. */
function groupsOf(head: ActedHead, action: MergeAction): MergeGroup[] {
  const { keys, headSize, positions, scores, kept } = head;
  const isKept = Array.from(positions, () => false);
  for (const slot of kept) isKept[slot] = true;
  switch (action.target) {
    case 'nearest-position':
      return intoNearestPosition(positions, isKept);
    case 'nearest-key': {
      const rule = action.weights === 'gaussian' ? 'averaged' : action.weights;
      return intoNearestKey(keys, headSize, isKept, rule);
    }
    case 'adjacent-sets': {
      const exempt = bestOf(scores, Math.round(EXEMPT_SHARE * kept.length));
      const similar = adjacentSets(keys, headSize, { threshold: action.similarity, exempt });
      const sets =
        similar.length >= kept.length
          ? similar
          : adjacentSets(keys, headSize, { slots: kept.length, exempt });
      const best = (set: readonly number[]) =>
        set.reduce((most, slot) => Math.max(most, scores[slot]!), -Infinity);
      const ranked = sets
        .map((set, order) => ({ set, order, score: best(set) }))
        .sort((a, b) => b.score - a.score || a.order - b.order)
        .slice(0, kept.length)
        .sort((a, b) => a.order - b.order)
        .map(({ set }) => set);
      return action.weights === 'gaussian'
        ? gaussianGroups(keys, headSize, ranked, scores)
        : uniformGroups(ranked, scores);
    }
  }
}

/** Flags of the `count` slots with the largest scores, the earlier of equals. */
function bestOf(scores: Float32Array, count: number): boolean[] {
  const order = Array.from(scores, (_, slot) => slot).sort(
    (i, j) => scores[j]! - scores[i]! || i - j,
  );
  const best = new Set(order.slice(0, count));
  return Array.from(scores, (_, slot) => best.has(slot));
}
