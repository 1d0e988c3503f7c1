import { createModelService, type ModelServiceDeps } from './model-service';
import { policyCheckJob } from './policy-check-job';
import { createRecallGapJob, type ReadSibling } from './recall-gap-job';
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
  const recallGap = createRecallGapJob(deps.readSibling);
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
    policyCheck: (jobId, policyId, seed, onProgress) =>
      run(jobId, async (signal) => {
        const { transformer } = await service.load(RECALL_MODEL, undefined, signal, onProgress);
        return policyCheckJob(policyId, seed, transformer, signal, onProgress);
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
