import type { CachePolicy } from '../../spec/cache-policy';
import type { Transformer } from '../../transformer/types';
import type { SlotCacheOptions } from '../slots/slot-cache';
import type { SlotCache } from '../slots/types';
import type { ByteLedger, LayerBytes } from '../types';
import { createHostFetch } from './host-fetch';
import type { LayerScores } from './scorers';
import { createTokenRecall, type TokenRecall } from './token-recall';

/** How slots that left the device come back to it, for actions whose slots do. */
export interface Returns {
  /** What a cache is told where slots are chosen query by query. */
  readonly retrieval: Pick<SlotCacheOptions, 'retrieve' | 'isRetrieving'>;
  /** After the policy acted. @param scored of the slots before */
  acted(context: readonly number[], scored: readonly LayerScores[]): void;
  /** Before every pass of the model over the cache. */
  beforePass(): void;
  /** Before a question: makes again what was dropped. */
  rebuild(): void;
  /** After its answer. */
  release(): void;
  /** The cache is back at the end of the context. */
  rewind(): void;
  /** Before a new context. */
  reset(): void;
  /** The cache's ledger, with what is held beside it to bring slots back. */
  counted(ledger: ByteLedger): ByteLedger;
}

export function createReturns(
  { action }: CachePolicy,
  model: Transformer,
  cache: () => SlotCache,
): Returns {
  const hostFetch =
    action.type === 'offload'
      ? createHostFetch(cache, model.config, action, (movedBytes) => cache().charge({ movedBytes }))
      : undefined;
  let recall: TokenRecall | undefined;
  let hasActed = false;

  return {
    retrieval: hostFetch?.isPaged
      ? { retrieve: hostFetch.retrieve, isRetrieving: () => hasActed }
      : {},
    acted(context, scored) {
      hasActed = true;
      if (action.type !== 'offload' && action.type !== 'recompute') return;
      // Queries no longer meet every slot, and nothing reads the sums again.
      cache().setObserver(undefined);
      if (action.type === 'recompute') {
        recall = createTokenRecall(model, cache(), context, scored, action.share);
      }
    },
    beforePass: () => hostFetch?.beforePass(),
    rebuild: () => recall?.rebuild(),
    release: () => recall?.release(),
    rewind: () => hostFetch?.reset(),
    reset() {
      hostFetch?.reset();
      recall = undefined;
      hasActed = false;
    },
    counted: (ledger) => ({
      ...ledger,
      layers: ledger.layers.map((own): LayerBytes => {
        if (own.tier === 'host') return own;
        // Ids are of the text, not of a layer: they stand with the first.
        const ids = own.layer === 0 ? recall : undefined;
        return {
          ...own,
          bytes: {
            ...own.bytes,
            payload: own.bytes.payload + (hostFetch?.stagedBytes(own.layer) ?? 0),
            indices: own.bytes.indices + (ids?.ids.byteLength ?? 0),
            positions: own.bytes.positions + (ids?.positions.byteLength ?? 0),
          },
        };
      }),
    }),
  };
}
