import {
  type AttentionSelection,
  SELECTION_KEYS,
  SELECTION_QUERIES,
} from '../../spec/kinds/selection';
import type { ComposedSelection } from '../../spec/kinds/selection-parts';
import { HIP_BLOCK_KEYS } from './hip';

const forced = (sinkTokens: number, recentTokens: number, windowTokens = 0) => ({
  sinkTokens,
  recentTokens,
  windowTokens,
});
const NOTHING_FORCED = forced(0, 0);
const MASS = { of: 'probabilities', keys: 'sum', queries: 'sum' } as const;
const LARGEST = { of: 'scores', keys: 'max', queries: 'max' } as const;
/** Parts that do nothing where nothing is scored. */
const UNSCORED = {
  summariser: { type: 'mean' },
  scorer: { type: 'mean-query' },
  reducer: LARGEST,
} as const;

/**
 * A preset as the parts that select the same keys; undefined where the parts cannot say it:
 * permutations and choices between patterns.
 *
 * @param isCausal of the variant; XAttention forces blocks in causal heads only
 */
export function takenApart(
  method: AttentionSelection,
  isCausal: boolean,
): ComposedSelection | undefined {
  const type = 'composed';
  const queryBlockTokens = SELECTION_QUERIES;
  switch (method.type) {
    case 'composed':
      return method;
    case 'a-shape':
      return {
        type,
        blockTokens: SELECTION_KEYS,
        queryBlockTokens,
        ...UNSCORED,
        selector: { type: 'none', unit: 'token' },
        forced: forced(method.sinkTokens, method.windowTokens),
      };
    case 'vertical-slash':
    case 'line-cover': {
      const { windowQueries, forcedColumns, forcedDiagonals } = method;
      return {
        type,
        blockTokens: SELECTION_KEYS,
        queryBlockTokens,
        summariser: { type: 'every-key' },
        scorer: { type: 'window', windowQueries },
        reducer: MASS,
        selector:
          method.type === 'line-cover'
            ? { type: 'line-cover', share: method.share, kinds: method.kinds }
            : { type: 'line-top-k', columns: method.columns, diagonals: method.diagonals },
        forced: forced(forcedColumns, forcedDiagonals),
      };
    }
    case 'block-sparse':
    case 'moba': {
      const isMoba = method.type === 'moba';
      return {
        type,
        blockTokens: method.blockTokens,
        queryBlockTokens: isMoba ? queryBlockTokens : method.blockTokens,
        summariser: { type: 'mean' },
        scorer: { type: 'mean-query' },
        reducer: LARGEST,
        selector: { type: 'top-k', blocks: method.topBlocks },
        forced: isMoba ? forced(0, 1) : NOTHING_FORCED,
      };
    }
    case 'sale':
      return {
        type,
        blockTokens: SELECTION_KEYS,
        queryBlockTokens,
        summariser: { type: 'low-bit', bits: method.bits },
        scorer: { type: 'every-query' },
        reducer: LARGEST,
        selector: { type: 'threshold', of: 'forced', share: method.threshold },
        forced: forced(method.sinkTokens, method.windowTokens),
      };
    case 'hip': {
      const { sinkTokens, windowTokens, representative, queryReduce } = method;
      return {
        type,
        blockTokens: HIP_BLOCK_KEYS,
        queryBlockTokens,
        summariser: { type: 'representative', token: representative },
        scorer: { type: queryReduce === 'mean' ? 'mean-query' : 'every-query' },
        reducer: LARGEST,
        selector: {
          type: 'tree',
          blocks: Math.max(1, Math.floor(method.keptTokens / HIP_BLOCK_KEYS)),
          branch: 2,
        },
        forced: forced(sinkTokens, windowTokens),
      };
    }
    case 'quest':
    case 'lserve': {
      const { pageTokens, budgetTokens, sinkTokens, recentTokens } = method;
      const partTokens = method.type === 'lserve' ? method.subPageTokens : pageTokens;
      return {
        type,
        blockTokens: pageTokens,
        queryBlockTokens,
        summariser: { type: 'bounds', partTokens },
        scorer: { type: 'every-query' },
        reducer: LARGEST,
        selector: { type: 'top-k', blocks: Math.max(1, Math.floor(budgetTokens / pageTokens)) },
        forced: forced(sinkTokens, recentTokens),
      };
    }
    case 'xattention':
      return {
        type,
        blockTokens: method.blockTokens,
        queryBlockTokens: method.blockTokens,
        summariser: { type: 'every-key' },
        scorer: { type: 'antidiagonal', stride: method.stride },
        reducer: MASS,
        selector: { type: 'top-p', share: method.share },
        forced: isCausal ? forced(1, 1) : NOTHING_FORCED,
      };
    case 'nsa': {
      const { compressTokens, compressStride, initialTokens, localTokens, windowTokens } = method;
      return {
        type,
        blockTokens: method.blockTokens,
        queryBlockTokens,
        summariser: {
          type: 'sliding-mean',
          partTokens: compressTokens,
          strideTokens: compressStride,
        },
        scorer: { type: 'every-query' },
        reducer: MASS,
        selector: { type: 'top-k', blocks: method.topBlocks },
        forced: forced(initialTokens, localTokens, windowTokens),
      };
    }
    case 'oracle-top-k':
    case 'oracle-top-p':
      return {
        type,
        blockTokens: SELECTION_KEYS,
        queryBlockTokens,
        summariser: { type: 'every-key' },
        scorer: { type: 'every-query' },
        reducer: MASS,
        selector:
          method.type === 'oracle-top-k'
            ? { type: 'top-k', blocks: method.blocks }
            : { type: 'top-p', share: method.share },
        forced: NOTHING_FORCED,
      };
    default:
      return undefined;
  }
}
