import type { CacheHead } from '../evaluate/cache-head';
import type { Board } from './board';
import type { JobQueue } from './job-queue';
import { runQueued } from './queued-call';
import { createResultCache } from './result-cache';
import type { Session } from './session-types';
import type { ModelApi } from './worker-api';
import type { WorkerClient } from './worker-client';

interface CacheHeadDeps {
  readonly board: Board;
  readonly queue: JobQueue;
  readonly model: WorkerClient<ModelApi>;
  readonly cacheBytes: number | undefined;
}

/** `Session.cacheHead`: of the result on show, a partial one too, with the model that it came from. */
export function createCacheHeadSource({
  board,
  queue,
  model,
  cacheBytes,
}: CacheHeadDeps): Session['cacheHead'] {
  const kept = createResultCache<CacheHead>(cacheBytes);
  return async (cellId, place, reader) => {
    const record = board.records.get(cellId);
    const output = record?.partial ?? record?.result?.output;
    if (record === undefined || output?.kind !== 'cache') {
      throw new Error(`cell "${cellId}" has no cache result yet: run it first`);
    }
    const { params, runs } = output.value;
    const gates = runs[place.entry]?.gates;
    const whole = gates?.isFitted ? { ...place, gates: gates.values } : place;
    const inputId = record.cell.inputs[0];
    const input = inputId === undefined ? undefined : board.records.get(inputId)?.result?.output;
    const choice = input?.kind === 'model' ? input.value.params : undefined;
    const file = inputId === undefined ? undefined : board.files.get(inputId);
    const key = JSON.stringify([params, choice?.source, choice?.engine, whole]);
    const known = kept.get(key);
    if (known !== undefined) return known;
    const head = await runQueued(
      { queue, client: model },
      `cache-head:${cellId}:${reader}`,
      (api, jobId, report) => api.cacheHead(jobId, params, choice, file, whole, report),
    );
    kept.set(key, head);
    return head;
  };
}
