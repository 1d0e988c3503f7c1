import {
  type AttentionSelection,
  type ChoiceSelection,
  SELECTION_KEYS,
  type SelectionMethod,
} from '../../spec/kinds/selection';
import type { ComposedSelection } from '../../spec/kinds/selection-parts';
import { SEARCH_ROW_STRIDE } from './select-head';
import { takenApart } from './taken-apart';

/** Most lines that parts may ask for. */
const MAX_LINES = 16_384;

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
        // No distance is 1 or more: every head is query-aware.
        alternatives: [{ ...method, tau: 1 }, flexPrefillLines(method)],
      };
    }
    default:
      return takenApart(method, isCausal);
  }
}

/** The lines of a head that is not query-aware. */
function flexPrefillLines(
  method: Extract<AttentionSelection, { type: 'flexprefill' }>,
): SelectionMethod {
  const { blockTokens, gamma, minBudgetTokens } = method;
  const leastLines = blockTokens * Math.max(1, Math.ceil(minBudgetTokens / blockTokens));
  // No distance is below 0: the preset with no query-aware heads, where parts have no such number.
  if (leastLines > MAX_LINES) return { ...method, tau: 0 };
  return {
    type: 'composed',
    blockTokens,
    queryBlockTokens: blockTokens,
    summariser: { type: 'every-key' },
    scorer: { type: 'window', windowQueries: blockTokens },
    reducer: { of: 'probabilities', keys: 'sum', queries: 'sum' },
    selector: { type: 'line-top-p', share: gamma, leastLines },
    forced: { sinkTokens: blockTokens, recentTokens: 1, windowTokens: 0 },
  };
}
