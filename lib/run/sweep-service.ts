import { createSimulation } from '../serving/core/simulation';
import { makeCostModel } from '../serving/cost/make-cost-model';
import { type SweepRun, sweepRun } from '../serving/sweep-point';
import type { CostModel } from '../serving/types';
import type { ServeParams } from '../spec/kinds/serve';
import { type RatedLoad, workloadAtRate } from '../workload/at-rate';
import { readTables } from './simulation-jobs';
import { runSliced } from './sliced';
import type { Cancellable, OnProgress } from './worker-api';

/** A strategy and its load, as a worker is told of them. */
export interface SweepSubjectData {
  readonly params: ServeParams;
  readonly load: RatedLoad;
  /** The file bound to the serve cell, where its cost model reads one. */
  readonly tables: Blob | undefined;
}

/** Single runs of a sweep: as many workers as the pool wants, each with its own copy of the load. */
export interface SweepApi extends Cancellable {
  /** @returns the cost model in words */
  load(
    jobId: number,
    subject: SweepSubjectData,
  ): Promise<Pick<CostModel, 'kind' | 'label' | 'source'>>;
  run(
    jobId: number,
    ratePerSecond: number,
    repeat: number,
    onProgress: OnProgress,
  ): Promise<SweepRun>;
}

export function createSweepService(): SweepApi {
  const jobs = new Map<number, AbortController>();
  let loaded: { readonly subject: SweepSubjectData; readonly tables: unknown } | undefined;
  const modelOf = (): CostModel => {
    if (loaded === undefined) throw new Error('no strategy is loaded');
    return makeCostModel(loaded.subject.params, loaded.tables);
  };
  return {
    async load(_jobId, subject) {
      const tables = subject.tables === undefined ? undefined : await readTables(subject.tables);
      loaded = { subject, tables };
      const { kind, label, source } = modelOf();
      return { kind, label, source };
    },
    async run(jobId, ratePerSecond, repeat) {
      const costModel = modelOf();
      const { params, load } = (loaded as NonNullable<typeof loaded>).subject;
      const controller = new AbortController();
      jobs.set(jobId, controller);
      try {
        const workload = workloadAtRate(load, ratePerSecond, repeat);
        const simulation = createSimulation(params, workload, costModel);
        await runSliced(simulation, controller.signal);
        return sweepRun(simulation.result().metrics);
      } finally {
        jobs.delete(jobId);
      }
    },
    cancel: (jobId) => jobs.get(jobId)?.abort(),
  };
}
