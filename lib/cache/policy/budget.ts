import type { CacheBudget } from '../../spec/cache-policy';
import type { TransformerConfig } from '../../transformer/types';
import type { SlotStorage } from '../slots/types';

/** Bytes of one slot of one head as it is stored: key, value and text position. */
export function bytesPerSlot({ headSize }: TransformerConfig, storage: SlotStorage): number {
  return 2 * headSize * (storage === 'f16' ? 2 : 4) + 4;
}

/**
 * Slots per (layer, KV head), on average, that a budget pays for, however short the text is. A ratio
 * that leaves all of a context has no end.
 *
 * @throws RangeError where the bytes do not pay for one slot in every head
 */
export function paidSlots(
  budget: CacheBudget,
  contextTokens: number,
  config: TransformerConfig,
  storage: SlotStorage,
): number {
  switch (budget.type) {
    case 'ratio': {
      const slots = Math.max(1, Math.round(budget.share * contextTokens));
      return slots < contextTokens ? slots : Infinity;
    }
    case 'tokens':
      return budget.tokens;
    case 'bytes': {
      const heads = config.layers * config.kvHeads;
      const each = heads * bytesPerSlot(config, storage);
      if (budget.bytes < each) {
        throw new RangeError(
          `invalid bytes: ${budget.bytes} (expected at least ${each}, one slot in each of ${heads} heads)`,
        );
      }
      return Math.floor(budget.bytes / each);
    }
  }
}

/** Slots that a budget leaves of a context, per (layer, KV head) on average. */
export function slotsPerHead(
  budget: CacheBudget,
  contextTokens: number,
  config: TransformerConfig,
  storage: SlotStorage,
): number {
  return Math.min(contextTokens, paidSlots(budget, contextTokens, config, storage));
}
