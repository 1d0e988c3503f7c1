import type { AttentionResult, MapBase } from '../attention/types';
import { identityOf } from './file-identity';
import type { JobQueue } from './job-queue';
import { runQueued } from './queued-call';
import type { ResultCache } from './result-cache';
import type { LaneOptions, MapSource } from './session-types';
import type { AttentionCall, KernelApi, MapCall, OnProgress } from './worker-api';
import type { WorkerCall, WorkerClient } from './worker-client';

export interface MapSourceDeps {
  readonly kernel: WorkerClient<KernelApi>;
  readonly queue: JobQueue;
  readonly bases: ResultCache<MapBase>;
  /** The call behind the result on show; throws where there is none. */
  readonly call: () => MapCall;
  /** An attention cell's result on show, and the call that it came from; both throw where there is none. */
  readonly result: () => AttentionResult;
  readonly attention: () => AttentionCall;
}

/** Phase of a map that another job is before. */
export const WAITING = 'waiting';

type MapTask = 'base' | 'window' | 'score' | 'blocks';

/**
 * Map calls over one cell. They go before pending jobs but never beside a running one,
 * whose timing they would disturb; a newer call of the same kind makes the older reject with an
 * `AbortError`, so readers that must not disturb each other take a lane each. Calls of a
 * background lane go after pending jobs. Bases are kept, so that switching heads back is instant.
 */
export function createMapSource(
  cellId: string,
  deps: MapSourceDeps,
  lane = '',
  options: LaneOptions = {},
): MapSource {
  const { isBackground = false, isUnselected = false, storage = 0 } = options;
  const keyOf = (kind: MapTask) => `map:${kind}:${cellId}:${lane}`;
  const unselected = (call: AttentionCall): AttentionCall =>
    isUnselected ? { ...call, params: { ...call.params, select: { type: 'none' } } } : call;
  const callOf = (): MapCall => {
    const call = deps.call();
    if (call.kind === 'attention') return unselected(call);
    return call.kind === 'decode' ? { ...call, storage } : call;
  };
  const enqueue = <T>(
    kind: MapTask,
    call: WorkerCall<KernelApi, T>,
    onProgress?: OnProgress,
  ): Promise<T> => {
    if (deps.queue.size() > 0) onProgress?.({ fraction: undefined, phase: WAITING });
    return runQueued({ queue: deps.queue, client: deps.kernel }, keyOf(kind), call, {
      onProgress,
      isBackground,
    });
  };

  return {
    async base(batch, head, onProgress) {
      const call = callOf();
      const key = JSON.stringify([identityOfCall(call), batch, head]);
      const known = deps.bases.get(key);
      if (known !== undefined) {
        deps.queue.drop(keyOf('base'));
        return known;
      }
      const base = await enqueue(
        'base',
        (api, jobId, report) => api.mapBase(jobId, call, batch, head, report),
        onProgress,
      );
      deps.bases.set(key, base);
      return base;
    },
    async window(batch, head, rect) {
      const call = callOf();
      return enqueue('window', (api, jobId) => api.mapWindow(jobId, call, batch, head, rect));
    },
    async score(batch, head, element) {
      const attention = unselected(deps.attention());
      return enqueue('score', (api, jobId) => api.mapScore(jobId, attention, batch, head, element));
    },
    async blocks(batch, head) {
      const { engine, blockList } = deps.result();
      const { blockQueries, blockKeys } = blockList;
      const tile = { blockQueries, blockKeys, engine };
      const attention = deps.attention();
      return enqueue('blocks', (api, jobId) => api.mapBlocks(jobId, attention, batch, head, tile));
    },
    lane: (name, more = {}) =>
      createMapSource(cellId, deps, `${lane}/${name}`, { ...options, ...more }),
  };
}

/** What a base depends on; a file is known by its name, size and time. */
function identityOfCall(call: MapCall): unknown {
  if (call.kind !== 'attention') return call;
  return [call.params, call.file && identityOf(call.file)];
}
