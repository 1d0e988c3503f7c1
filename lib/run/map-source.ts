import type { MapBase } from '../attention/types';
import { identityOf } from './file-identity';
import type { JobQueue } from './job-queue';
import { runQueued } from './queued-call';
import type { ResultCache } from './result-cache';
import type { MapSource } from './session-types';
import type { AttentionCall, KernelApi, OnProgress } from './worker-api';
import type { WorkerCall, WorkerClient } from './worker-client';

export interface MapSourceDeps {
  readonly kernel: WorkerClient<KernelApi>;
  readonly queue: JobQueue;
  readonly bases: ResultCache<MapBase>;
  /** The call that the attention result on show came from; throws where there is none. */
  readonly attention: () => AttentionCall;
}

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
  isBackground = false,
): MapSource {
  const keyOf = (kind: 'base' | 'window') => `map:${kind}:${cellId}:${lane}`;
  const enqueue = <T>(
    kind: 'base' | 'window',
    call: WorkerCall<KernelApi, T>,
    onProgress?: OnProgress,
  ): Promise<T> => runQueued(deps, keyOf(kind), call, { onProgress, isBackground });

  return {
    async base(batch, head, onProgress) {
      const attention = deps.attention();
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
      const attention = deps.attention();
      return enqueue('window', (api, jobId) => api.mapWindow(jobId, attention, batch, head, rect));
    },
    lane: (name, options = {}) =>
      createMapSource(cellId, deps, `${lane}/${name}`, options.isBackground ?? isBackground),
  };
}
