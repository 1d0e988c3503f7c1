import type { AttentionShape } from '../spec/kinds/attention';
import { BLOCK, type BlockState, blockStateAt } from './block-states';
import type { AttentionResult, BlockList } from './types';

/** What a kernel pays for the block that holds an element. */
export interface ElementCost {
  readonly queryBlock: number;
  readonly keyBlock: number;
  readonly state: BlockState;
  /** Scores that the block computes, seen or not; those past the ends of the tensors count too. 0 where it is skipped. */
  readonly pairs: number;
  /** 4 x headSize per pair: two products, multiply and add. */
  readonly flops: number;
  /** Of the blocks that the whole call visits, over all heads and batch entries. */
  readonly shareOfCall: number;
}

/** @param summary the call's own count of visited blocks, over the lists that heads share */
export function elementCost(
  list: BlockList,
  shape: AttentionShape,
  summary: AttentionResult['blockList'],
  query: number,
  key: number,
): ElementCost {
  const { blockQueries, blockKeys, queryBlocks, keyBlocks } = list;
  const state = blockStateAt(list, query, key);
  const pairs = state === BLOCK.skipped ? 0 : blockQueries * blockKeys;
  const lists = summary.total / (queryBlocks * keyBlocks);
  const perList = (summary.full + summary.partial) / lists;
  return {
    queryBlock: Math.floor(query / blockQueries),
    keyBlock: Math.floor(key / blockKeys),
    state,
    pairs,
    flops: 4 * shape.headSize * pairs,
    shareOfCall: pairs === 0 ? 0 : 1 / (perList * shape.batch * shape.queryHeads),
  };
}
