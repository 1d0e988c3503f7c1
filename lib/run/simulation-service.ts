import { checkJob, serveJob, throttled, traceJob, workloadJob } from './simulation-jobs';
import type { SweepPool } from './sweep-pool';
import { createWhatIfDesk } from './what-if-desk';
import type { SimulationApi } from './worker-api';

/** What the simulation worker needs of the place that it runs in. */
export interface SimulationDeps {
  /** Workers of a sweep; asked for by the first one. */
  readonly makePool: () => SweepPool;
}

export function createSimulationApi({ makePool }: SimulationDeps): SimulationApi {
  const jobs = new Map<number, AbortController>();
  const desk = createWhatIfDesk();
  let pool: SweepPool | undefined;

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
    workload: (jobId, params, file, onProgress) =>
      run(jobId, (signal) => workloadJob(params, file, signal, onProgress)),
    serve: (jobId, params, workload, tables, onProgress) =>
      run(jobId, (signal) => serveJob(params, workload, tables, signal, onProgress)),
    trace: (jobId, params, workload, tables, requestId, onProgress) =>
      run(jobId, (signal) => traceJob(params, workload, tables, requestId, signal, onProgress)),
    whatIf: (jobId, question) => run(jobId, (signal) => desk.ask(question, signal)),
    sweep: (jobId, subject, params, onProgress) =>
      run(jobId, (signal) => {
        pool ??= makePool();
        const report = throttled(onProgress);
        return pool.run(
          subject,
          params,
          (value, fraction, phase) =>
            report({ fraction, phase, partial: { kind: 'sweep', value } }),
          signal,
        );
      }),
    check: (jobId, params, onProgress) =>
      run(jobId, (signal) => checkJob(params, signal, onProgress)),
    plan: (jobId, subject, params, onProgress) =>
      run(jobId, (signal) => {
        pool ??= makePool();
        const report = throttled(onProgress);
        return pool.plan(
          subject,
          params,
          (value, fraction, phase) => report({ fraction, phase, partial: { kind: 'plan', value } }),
          signal,
        );
      }),
    warm(strategies) {
      pool ??= makePool();
      return pool.warm(strategies);
    },
    cancel: (jobId) => jobs.get(jobId)?.abort(),
  };
}
