import type { AttentionResult, MapBase } from '../attention/types';
import { identityOf } from './file-identity';
import type { JobQueue } from './job-queue';
import { runQueued } from './queued-call';
import type { ResultCache } from './result-cache';
import type { LaneOptions, MapSource } from './session-types';
import type { AttentionCall, KernelApi, OnProgress } from './worker-api';
import type { WorkerCall, WorkerClient } from './worker-client';

export interface MapSourceDeps {
  readonly kernel: WorkerClient<KernelApi>;
  readonly queue: JobQueue;
  readonly bases: ResultCache<MapBase>;
  /** The attention result on show, and the call that it came from; both throw where there is none. */
  readonly result: () => AttentionResult;
  readonly attention: () => AttentionCall;
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
  const callOf = (): AttentionCall => {
    const call = deps.attention();
    return isUnselected ? { ...call, params: { ...call.params, select: { type: 'none' } } } : call;
  };
  const enqueue = <T>(
    kind: MapCall,
    call: WorkerCall<KernelApi, T>,
    onProgress?: OnProgress,
  ): Promise<T> =>
    runQueued({ queue: deps.queue, client: deps.kernel }, keyOf(kind), call, {
      onProgress,
      isBackground,
    });

  return {
    async base(batch, head, onProgress) {
      const attention = callOf();
      const { params, file } = attention;
      const key = JSON.stringify([params, file && identityOf(file), batch, head]);
      const known = deps.bases.get(key);
      if (known !== undefined) {
        deps.queue.drop(keyOf('base'));
        return known;
      }
      const base = await enqueue(
        'base',
        (api, jobId, report) => api.mapBase(jobId, attention, batch, head, report),
        onProgress,
      );
      deps.bases.set(key, base);
      return base;
    },
    async window(batch, head, rect) {
      const attention = callOf();
      return enqueue('window', (api, jobId) => api.mapWindow(jobId, attention, batch, head, rect));
    },
    async score(batch, head, element) {
      const attention = callOf();
      return enqueue('score', (api, jobId) => api.mapScore(jobId, attention, batch, head, element));
    },
    async blocks(batch, head) {
      const { engine, blockList } = deps.result();
      const { blockQueries, blockKeys } = blockList;
      const tile = { blockQueries, blockKeys, engine };
      const attention = deps.attention();
      return enqueue('blocks', (api, jobId) => api.mapBlocks(jobId, attention, batch, head, tile));
    },
    lane: (name, options = {}) =>
      createMapSource(cellId, deps, `${lane}/${name}`, { isBackground, isUnselected, ...options }),
  };
}
