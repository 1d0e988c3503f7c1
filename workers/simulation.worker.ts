import { expose, transfer } from 'comlink';
import { buffersOf, serveJob, workloadJob } from '../lib/run/simulation-jobs';
import type { SimulationApi } from '../lib/run/worker-api';

const jobs = new Map<number, AbortController>();

async function run<T>(jobId: number, job: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  jobs.set(jobId, controller);
  try {
    const result = await job(controller.signal);
    return transfer(result, buffersOf(result));
  } finally {
    jobs.delete(jobId);
  }
}

const api: SimulationApi = {
  workload: (jobId, params, file, onProgress) =>
    run(jobId, (signal) => workloadJob(params, file, signal, onProgress)),
  serve: (jobId, params, workload, tables, onProgress) =>
    run(jobId, (signal) => serveJob(params, workload, tables, signal, onProgress)),
  cancel: (jobId) => jobs.get(jobId)?.abort(),
};
expose(api);
