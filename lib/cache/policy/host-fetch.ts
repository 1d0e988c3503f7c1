import type { CacheAction } from '../../spec/cache-actions';
import type { TransformerConfig } from '../../transformer/types';
import { topIndices } from '../retrieve/choose';
import { pageScores } from '../retrieve/pages';
import type { SlotCache, SlotRetrieval } from '../slots/types';
import { isOffloaded, type OffloadedRows } from './offload';

/** Brings offloaded slots to the device as queries need them, and counts what that moves. */
export interface HostFetch {
  /** Slots are chosen query by query; without this all are read in every pass. */
  readonly isPaged: boolean;
  /** The slots on the device, and those of the pages that a query takes. */
  readonly retrieve: SlotRetrieval;
  /** Called before every pass of the model over the cache. */
  beforePass(): void;
  /** Bytes of a layer's slots that the last queries brought to the device and that are still there. */
  stagedBytes(layer: number): number;
  /** Gives the device room back. */
  reset(): void;
}

/**
 * - all: every pass streams all offloaded slots through the device, layer by layer, and keeps none
 * - pages: each query takes the pages of the highest bounds; pages that the query before it took too
 *   are still there and are not moved again
 *
 * @param charge takes the bytes that were moved
 */
export function createHostFetch(
  cache: () => SlotCache,
  { layers, kvHeads }: Pick<TransformerConfig, 'layers' | 'kvHeads'>,
  { fetch }: Extract<CacheAction, { type: 'offload' }>,
  charge: (movedBytes: number) => void,
): HostFetch {
  /** First slots of the pages on the device, and their bytes, by head. */
  const staged = Array.from({ length: layers * kvHeads }, () => new Map<number, number>());

  return {
    isPaged: fetch.type === 'pages',
    retrieve(layer, kvHead, query, head) {
      const runs = head.hostRuns();
      if (fetch.type === 'all' || runs.length === 0) return undefined;
      const before = staged[layer * kvHeads + kvHead]!;
      const taken = new Map<number, number>();
      const isPicked = new Uint8Array(head.count).fill(1);
      for (const { firstSlot, encoded, rows } of runs) {
        if (!isOffloaded(encoded) || !encoded.bounds) continue;
        isPicked.fill(0, firstSlot, firstSlot + rows.length);
        const pages = pagesFor(encoded, query.queries, fetch.share);
        rows.forEach((row, i) => {
          const page = Math.floor(row / encoded.pageTokens);
          if (!pages.has(page)) return;
          isPicked[firstSlot + i] = 1;
          const key = firstSlot + page;
          taken.set(key, (taken.get(key) ?? 0) + encoded.rowBytes);
        });
      }
      let moved = 0;
      for (const [page, bytes] of taken) if (!before.has(page)) moved += bytes;
      charge(moved);
      staged[layer * kvHeads + kvHead] = taken;
      return Int32Array.from(isPicked.keys()).filter((slot) => isPicked[slot] === 1);
    },
    beforePass() {
      if (fetch.type !== 'all') return;
      let bytes = 0;
      for (let layer = 0; layer < layers; layer++) {
        for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
          for (const { encoded, rows } of cache().head(layer, kvHead).hostRuns()) {
            if (isOffloaded(encoded)) bytes += rows.length * encoded.rowBytes;
          }
        }
      }
      charge(bytes);
    },
    stagedBytes(layer) {
      let bytes = 0;
      for (const pages of staged.slice(layer * kvHeads, (layer + 1) * kvHeads)) {
        for (const own of pages.values()) bytes += own;
      }
      return bytes;
    },
    reset() {
      for (const pages of staged) pages.clear();
    },
  };
}

/** At least one page, and the share of all that the fetch asks for, rounded. */
function pagesFor(
  { bounds, headSize }: OffloadedRows,
  queries: Float32Array,
  share: number,
): ReadonlySet<number> {
  if (!bounds) return new Set();
  const count = Math.max(1, Math.round(share * bounds.pages));
  return new Set(topIndices(pageScores(bounds, queries, headSize), count));
}
