import {
  type AttentionSelection,
  type ChoiceSelection,
  SELECTION_KEYS,
} from '../../spec/kinds/selection';
import type { ComposedSelection } from '../../spec/kinds/selection-parts';
import { SEARCH_ROW_STRIDE } from './select-head';
import { takenApart } from './taken-apart';

/**
 * A preset as parts and what stands around them: `takenApart`, an order of keys, a choice per head.
 * Undefined where they cannot say it. Alternatives of a choice are presets, which come apart in turn
 * where they can.
 *
 * @param isCausal of the variant; PBS-Attn is defined for causal heads only
 */
export function partsOf(
  method: AttentionSelection,
  isCausal: boolean,
): ComposedSelection | ChoiceSelection | undefined {
  switch (method.type) {
    case 'choice':
      return method;
    case 'pbs': {
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
        forced: { sinkTokens: 1, recentTokens: 0, windowTokens: 0 },
        order: { segmentTokens, windowQueries: blockTokens },
      };
    }
    case 'pattern-search': {
      const { type, sinkTokens, windowTokens, columns, diagonals, topBlocks, ...lines } = method;
      return {
        type: 'choice',
        criterion: { type: 'least-error', rowStride: SEARCH_ROW_STRIDE },
        alternatives: [
          { type: 'a-shape', sinkTokens, windowTokens },
          { type: 'vertical-slash', columns, diagonals, ...lines },
          { type: 'block-sparse', topBlocks, blockTokens: SELECTION_KEYS },
        ],
      };
    }
    case 'flexprefill': {
      const { blockTokens, tau } = method;
      return {
        type: 'choice',
        criterion: { type: 'divergence', blockTokens, tau },
        // No distance is 1 or more, and none is below 0: one is for blocks alone, the other for lines.
        alternatives: [
          { ...method, tau: 1 },
          { ...method, tau: 0 },
        ],
      };
    }
    default:
      return takenApart(method, isCausal);
  }
}
