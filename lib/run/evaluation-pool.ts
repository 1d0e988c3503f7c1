import { checkSamples } from '../evaluate/evaluate';
import { createFold } from '../evaluate/fold';
import type { Evaluation } from '../evaluate/types';
import { taskOf } from '../tasks/registry';
import type { DeviceReport, EvaluationApi, EvaluationJob, ModelData } from './evaluation-service';
import { abortError, type WorkerClient } from './worker-client';

/** Samples handed to a worker at once: few, so that none is left waiting for another at the end. */
const SAMPLES_PER_CALL = 2;

export interface EvaluationPool {
  readonly workers: number;
  /**
   * Gives every worker the model; a later call replaces it.
   *
   * @returns the device of one that has one, or else why one has none; undefined where nothing is to tell
   */
  load(model: ModelData): Promise<DeviceReport | undefined>;
  /**
   * Shares a job's samples out among the workers. Results are the same for any number of workers.
   *
   * @param onProgress results so far
   * @throws AbortError when cancelled, RangeError for a job that cannot be run
   */
  run(
    job: EvaluationJob,
    onProgress?: (partial: Evaluation) => void,
    signal?: AbortSignal,
  ): Promise<Evaluation>;
  dispose(): void;
}

function rejectOnAbort(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(abortError('cancelled')), { once: true });
  });
}

/** @param clients of one worker each */
export function createEvaluationPool(
  clients: readonly WorkerClient<EvaluationApi>[],
): EvaluationPool {
  return {
    workers: clients.length,
    async load(model) {
      const reports = await Promise.all(
        clients.map((client) => client.call((api, id) => api.load(id, model))),
      );
      const told = reports.filter((report) => report !== undefined);
      return told.find(({ adapter }) => adapter !== undefined) ?? told[0];
    },
    async run(job, onProgress, signal) {
      const { plan } = job;
      checkSamples(plan.samples);
      const fold = createFold(taskOf(plan.taskId), plan);
      const stopped = new AbortController();
      const either = signal ? AbortSignal.any([signal, stopped.signal]) : stopped.signal;
      let next = 0;
      async function work(client: WorkerClient<EvaluationApi>): Promise<void> {
        while (next < plan.samples) {
          const first = next;
          const end = Math.min(plan.samples, first + SAMPLES_PER_CALL);
          next = end;
          const outcomes = await client.call(
            (api, id, report) => api.run(id, job, first, end, report),
            { signal: either },
          );
          for (const outcome of outcomes) fold.add(outcome);
          if (onProgress && !either.aborted && fold.evaluation().samplesDone > 0) {
            onProgress(fold.evaluation());
          }
        }
      }
      const working = clients.map(work);
      const finished = Promise.allSettled(working);
      try {
        // A worker hears a cancel after its sample; who cancelled need not wait for that.
        await Promise.race([Promise.all(working), rejectOnAbort(signal)]);
      } catch (error) {
        // One worker's failure ends the job for all.
        stopped.abort();
        if (!signal?.aborted) await finished;
        throw error;
      }
      return fold.evaluation();
    },
    dispose() {
      for (const client of clients) client.dispose();
    },
  };
}
