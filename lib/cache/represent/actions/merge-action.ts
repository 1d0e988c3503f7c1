import type { CacheAction } from '../../../spec/cache-actions';
import { type ActedHead, type ActionDefinition, headByHead, plainRun } from '../../policy/actions';
import type { SlotRun } from '../../slots/types';
import { adjacentSets, gaussianGroups, uniformGroups } from '../merge/adjacent-sets';
import { intoNearestKey, intoNearestPosition } from '../merge/into-kept';
import { type MergeGroup, mergeSlots } from '../merge/merge-slots';

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
      // Slots with an infinite score are forced: they stay on their own.
      const exempt = Array.from(scores, (score) => score === Infinity);
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
