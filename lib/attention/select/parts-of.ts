import type { AttentionSelection } from '../../spec/kinds/selection';
import type { ComposedSelection } from '../../spec/kinds/selection-parts';
import { takenApart } from './taken-apart';

/**
 * A preset as parts and what stands around them: `takenApart`, an order of keys, a choice per head.
 * Undefined where they cannot say it.
 *
 * @param isCausal of the variant; PBS-Attn is defined for causal heads only
 */
export function partsOf(
  method: AttentionSelection,
  isCausal: boolean,
): ComposedSelection | undefined {
  if (method.type !== 'pbs') return takenApart(method, isCausal);
  if (!isCausal) return undefined;
  const { blockTokens, segmentTokens, share } = method;
  return {
    type: 'composed',
    blockTokens,
    queryBlockTokens: blockTokens,
    summariser: { type: 'mean' },
    scorer: { type: 'mean-query' },
    reducer: { of: 'scores', keys: 'max', queries: 'max' },
    selector: { type: 'top-p', share },
    forced: { sinkTokens: 1, recentTokens: 0 },
    order: { segmentTokens, windowQueries: blockTokens },
  };
}
