import type { AttentionResult, MapBase } from '../attention/types';
import type { JobQueue } from './job-queue';
import type { ResultCache } from './result-cache';
import type { LaneOptions, MapSource } from './session-types';
import type { KernelApi } from './worker-api';
import { abortError, type WorkerCall, type WorkerClient } from './worker-client';

export interface MapSourceDeps {
  readonly kernel: WorkerClient<KernelApi>;
  readonly queue: JobQueue;
  readonly bases: ResultCache<MapBase>;
  /** The attention result on show; throws where there is none. */
  readonly result: () => AttentionResult;
}

type MapCall = 'base' | 'window' | 'score' | 'blocks';

/**
 * Map calls over one attention cell. They go before pending jobs but never beside a running one,
 * whose timing they would disturb; a newer call of the same kind makes the older reject with an
 * `AbortError`, so readers that must not disturb each other take a lane each. Calls of a
 * background lane go after pending jobs. Bases are kept, so that switching heads back is instant.
 */
export function createMapSource(
  cellId: string,
  deps: MapSourceDeps,
  lane = '',
  { isBackground = false, isUnselected = false }: LaneOptions = {},
): MapSource {
  const keyOf = (kind: MapCall) => `map:${kind}:${cellId}:${lane}`;
  const paramsOf = () => {
    const { params } = deps.result();
    return isUnselected ? { ...params, select: { type: 'none' as const } } : params;
  };
  function enqueue<T>(kind: MapCall, call: WorkerCall<KernelApi, T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      deps.queue.put(
        {
          key: keyOf(kind),
          run: (signal) => deps.kernel.call(call, { signal }).then(resolve, reject),
          onDropped: () => reject(abortError('replaced by a newer map call')),
        },
        { first: !isBackground },
      );
    });
  }

  return {
    async base(batch, head) {
      const params = paramsOf();
      const key = JSON.stringify([params, batch, head]);
      const known = deps.bases.get(key);
      if (known !== undefined) {
        deps.queue.drop(keyOf('base'));
        return known;
      }
      const base = await enqueue('base', (api, jobId) => api.mapBase(jobId, params, batch, head));
      deps.bases.set(key, base);
      return base;
    },
    async window(batch, head, rect) {
      const params = paramsOf();
      return enqueue('window', (api, jobId) => api.mapWindow(jobId, params, batch, head, rect));
    },
    async score(batch, head, element) {
      const params = paramsOf();
      return enqueue('score', (api, jobId) => api.mapScore(jobId, params, batch, head, element));
    },
    async blocks(batch, head) {
      const { params, engine, blockList } = deps.result();
      const { blockQueries, blockKeys } = blockList;
      const tile = { blockQueries, blockKeys, engine };
      return enqueue('blocks', (api, jobId) => api.mapBlocks(jobId, params, batch, head, tile));
    },
    lane: (name, options = {}) =>
      createMapSource(cellId, deps, `${lane}/${name}`, { isBackground, isUnselected, ...options }),
  };
}
