import { cacheCheckJob, cacheCheckOf } from './cache-check-job';
import { createModelService, type ModelServiceDeps } from './model-service';
import { createRecallGapJob, createSiblings, type ReadSibling } from './recall-gap-job';
import { speculateJob } from './speculate-job';
import type { ModelApi } from './worker-api';

/** What a cell without a model runs on. */
const RECALL_MODEL = { source: { type: 'recall' }, engine: 'auto' } as const;

export interface ModelApiDeps extends ModelServiceDeps {
  readonly readSibling: ReadSibling;
}

/** The jobs of the model worker, each with its own cancel. */
export function createModelApi(deps: ModelApiDeps): ModelApi {
  const service = createModelService(deps);
  const siblings = createSiblings(deps.readSibling);
  const recallGap = createRecallGapJob(deps.readSibling, siblings);
  const jobs = new Map<number, AbortController>();

  async function run<T>(jobId: number, job: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    jobs.set(jobId, controller);
    try {
      return await job(controller.signal);
    } finally {
      jobs.delete(jobId);
    }
  }

  return {
    model: (jobId, params, file, onProgress) =>
      run(jobId, (signal) => service.run(params, file, signal, onProgress)),
    cache: (jobId, params, model, file, onProgress) =>
      run(jobId, (signal) =>
        service.cache(params, model ?? RECALL_MODEL, file, signal, onProgress),
      ),
    cacheHead: (jobId, params, model, file, place, onProgress) =>
      run(jobId, (signal) =>
        service.cacheHead(params, model ?? RECALL_MODEL, file, place, signal, onProgress),
      ),
    check: (jobId, params, onProgress) =>
      run(jobId, async (signal) => {
        const { siblings: names = [] } = cacheCheckOf(params.check);
        const read = await siblings(names, signal, onProgress);
        const { transformer } = await service.load(RECALL_MODEL, undefined, signal, onProgress);
        const models = { model: transformer, siblings: read };
        return cacheCheckJob(params, models, signal, onProgress);
      }),
    recallGap: (jobId, params, onProgress) =>
      run(jobId, (signal) => recallGap(params, signal, onProgress)),
    speculate: (jobId, params, model, file, onProgress) =>
      run(jobId, async (signal) => {
        const loaded = await service.load(model ?? RECALL_MODEL, file, signal, onProgress);
        return speculateJob(params, loaded, signal, onProgress);
      }),
    cancel: (jobId) => jobs.get(jobId)?.abort(),
  };
}
