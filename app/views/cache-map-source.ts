import type { CacheHead } from '../../lib/evaluate/cache-head';
import type { MapSource, Session } from '../../lib/run/session-types';
import { headBase, headWindow, slotList } from '../../lib/views/cache/head-map';

/**
 * Map calls over the heads of one entry and layer of a cache cell. A head that was asked for once is
 * there at once.
 *
 * @param group query heads that share a KV head
 */
export function cacheMapSource(
  session: Session,
  cellId: string,
  place: { readonly entry: number; readonly layer: number },
  group: number,
  reader: string,
): MapSource {
  const waiting = new Map<number, Promise<CacheHead>>();
  /** Readers of the same KV head share a call: a second one would replace the first. */
  const headOf = (head: number): Promise<CacheHead> => {
    const kvHead = Math.floor(head / group);
    const found =
      waiting.get(kvHead) ??
      session.cacheHead(cellId, { ...place, kvHead }, `${reader} ${kvHead}`).finally(() => {
        waiting.delete(kvHead);
      });
    waiting.set(kvHead, found);
    return found;
  };
  const source: MapSource = {
    base: async (_batch, head) => headBase(await headOf(head), head),
    window: async (_batch, head, rect) => headWindow(await headOf(head), head, rect),
    blocks: async (_batch, head) => slotList(await headOf(head)),
    score: () => Promise.reject(new Error('a cache has no scores: its weights are shown')),
    lane: () => source,
  };
  return source;
}
