import type { EvictionPart } from '../../spec/kinds/serve-eviction';
import type { BlockView, EvictionContext, SessionView } from './eviction';

type WorkflowLru = Extract<EvictionPart, { type: 'workflow-lru' }>;

/**
 * Chance that a session is back within `soonSeconds`: of the gaps seen of its tool that were longer than
 * this one is already, those that end by then, with one more of either kind. A half until enough were
 * seen, none for a session that has ended, and certainty for one that waits already.
 */
export function returnChance(
  { soonSeconds, coldGaps }: Pick<WorkflowLru, 'soonSeconds' | 'coldGaps'>,
  { isOver, isBack, lastEndSeconds, gapsSeconds }: SessionView,
  nowSeconds: number,
): number {
  if (isBack) return 1;
  if (isOver) return 0;
  if (gapsSeconds.length < coldGaps) return 0.5;
  const waited = Math.max(0, nowSeconds - lastEndSeconds);
  let longer = 0;
  let soon = 0;
  for (const gap of gapsSeconds) {
    if (gap <= waited) continue;
    longer++;
    if (gap <= waited + soonSeconds) soon++;
  }
  return (soon + 1) / (longer + 2);
}

/** The last block of the session with the largest score (SAGA's WA-LRU); ties go to what was let go of first. */
export function workflowVictim(
  part: WorkflowLru,
  context: Pick<EvictionContext, 'nowSeconds' | 'session'>,
): (blocks: Iterable<BlockView>) => BlockView | undefined {
  return (blocks) => {
    const now = context.nowSeconds();
    const all = Array.from(blocks, (block) => {
      const session = context.session(block.owner);
      return {
        block,
        age: Math.max(0, now - session.lastEndSeconds),
        // A prefix of so many tokens is there up to the end of the block.
        tokens: block.startTokens + block.tokens,
        chance: returnChance(part, session, now),
      };
    });
    let longest = 1e-9;
    let largest = 1;
    for (const { age, tokens } of all) {
      longest = Math.max(longest, age);
      largest = Math.max(largest, tokens);
    }
    let found: BlockView | undefined;
    let most = -Infinity;
    for (const { block, age, tokens, chance } of all) {
      const score =
        (part.ageWeight * age) / longest +
        part.reuseWeight * (1 - chance) +
        (part.sizeWeight * tokens) / largest;
      const isFirst = score > most || block.releasedOrder < (found?.releasedOrder ?? Infinity);
      if (score < most || !isFirst) continue;
      most = score;
      found = block;
    }
    return found;
  };
}
