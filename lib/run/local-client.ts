import type { Cancellable } from './worker-api';
import { abortError, type RemoteApi, type WorkerClient } from './worker-client';

/**
 * A client of an api in this thread, for Node and for tests: the same contract as a worker's
 * client, without a worker. An abort asks the api to cancel and waits for its answer.
 */
export function createLocalClient<Api extends Cancellable>(
  api: Api,
  name: string,
  onDispose: () => void = () => undefined,
): WorkerClient<Api> {
  let lastJobId = 0;
  let isDisposed = false;
  return {
    name,
    async call(run, { signal, onProgress } = {}) {
      if (isDisposed) throw abortError(`the ${name} client was disposed of`);
      if (signal?.aborted) throw abortError('cancelled');
      const jobId = ++lastJobId;
      const cancel = () => api.cancel(jobId);
      signal?.addEventListener('abort', cancel);
      try {
        const value = await run(api as unknown as RemoteApi<Api>, jobId, (progress) => {
          if (!signal?.aborted) onProgress?.(progress);
        });
        if (signal?.aborted) throw abortError('cancelled');
        return value;
      } finally {
        signal?.removeEventListener('abort', cancel);
      }
    },
    dispose() {
      if (isDisposed) return;
      isDisposed = true;
      onDispose();
    },
  };
}
