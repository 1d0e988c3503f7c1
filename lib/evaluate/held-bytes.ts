import type { ByteLedger } from '../cache/types';
import type { TransformerConfig } from '../transformer/types';
import type { HeldBytes } from './types';

/** The full cache that policies are measured against is in f16, as it is served. */
const F16_BYTES = 2;

/** Sums a ledger, and what the full cache in f16 would hold of the same tokens. */
export function heldBytes(ledger: ByteLedger, config: TransformerConfig): HeldBytes {
  let payload = 0;
  let overhead = 0;
  let host = 0;
  for (const { tier, bytes } of ledger.layers) {
    for (const [role, count] of Object.entries(bytes)) {
      if (tier === 'host') host += count;
      else if (role === 'payload') payload += count;
      else overhead += count;
    }
  }
  const { layers, kvHeads, headSize } = config;
  const fullSlots = layers * kvHeads * ledger.tokensSeen;
  return {
    payload,
    overhead,
    host,
    full: 2 * F16_BYTES * headSize * fullSlots,
    slots: ledger.slots.reduce((sum, heads) => sum + heads.reduce((a, b) => a + b, 0), 0),
    fullSlots,
    tokensSeen: ledger.tokensSeen,
  };
}
