import { createModelService, type ModelServiceDeps } from './model-service';
import type { ModelApi } from './worker-api';

/** What a cell without a model runs on. */
const RECALL_MODEL = { source: { type: 'recall' }, engine: 'auto' } as const;

/** The jobs of the model worker, each with its own cancel. */
export function createModelApi(deps: ModelServiceDeps): ModelApi {
  const service = createModelService(deps);
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
    cancel: (jobId) => jobs.get(jobId)?.abort(),
  };
}
