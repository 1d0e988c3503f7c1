import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { createEvaluationPool, type EvaluationPool } from '../../run/evaluation-pool';
import type { EvaluationApi } from '../../run/evaluation-service';
import { createWorkerClient, type SpawnedWorker } from '../../run/worker-client';

/** A thread that looks like a page's worker. */
function spawnThread(): SpawnedWorker {
  const thread = new Worker(new URL('./start-thread.mjs', import.meta.url), { execArgv: [] });
  const endpoint = nodeEndpoint(thread);
  return {
    postMessage: endpoint.postMessage.bind(endpoint) as SpawnedWorker['postMessage'],
    removeEventListener: endpoint.removeEventListener.bind(
      endpoint,
    ) as SpawnedWorker['removeEventListener'],
    addEventListener(type: string, listener: EventListenerOrEventListenerObject) {
      // The adapter knows messages alone, and a thread's errors are values, not events.
      if (type === 'message') endpoint.addEventListener(type, listener);
      else thread.on(type, (error) => call(listener, error));
    },
    terminate: () => void thread.terminate(),
  };
}

function call(listener: EventListenerOrEventListenerObject, error: unknown): void {
  const event = Object.assign(new Event('error'), { message: (error as Error).message });
  if (typeof listener === 'function') listener(event);
  else listener.handleEvent(event);
}

/** Threads that the machine runs at once. */
export const MACHINE_THREADS = availableParallelism();

export function createThreadPool(threads: number): EvaluationPool {
  return createEvaluationPool(
    Array.from({ length: threads }, (_, i) =>
      createWorkerClient<EvaluationApi>(spawnThread, `evaluation ${i + 1}`),
    ),
  );
}
