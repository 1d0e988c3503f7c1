import { expose, transfer } from 'comlink';
import { buffersOf } from '../lib/run/simulation-jobs';
import { createSimulationApi } from '../lib/run/simulation-service';
import { createSweepPool } from '../lib/run/sweep-pool';
import type { SweepApi } from '../lib/run/sweep-service';
import type { SimulationApi } from '../lib/run/worker-api';
import { createWorkerClient } from '../lib/run/worker-client';

/** Most threads of a sweep: each has its own copy of the load. */
const MOST_WORKERS = 8;

// The bundler recognises a worker only by this literal form of `new Worker(new URL(...))`.
const spawn = () => new Worker(new URL('./sweep.worker.ts', import.meta.url), { type: 'module' });

const api = createSimulationApi({
  makePool() {
    const workers = Math.max(1, Math.min(MOST_WORKERS, navigator.hardwareConcurrency || 1));
    return createSweepPool(
      Array.from({ length: workers }, () => createWorkerClient<SweepApi>(spawn, 'sweep')),
    );
  },
});

async function moved<T>(result: Promise<T>): Promise<T> {
  const value = await result;
  return transfer(value, buffersOf(value));
}

const transferring: SimulationApi = {
  ...api,
  workload: (...args) => moved(api.workload(...args)),
  serve: (...args) => moved(api.serve(...args)),
};
expose(transferring);
