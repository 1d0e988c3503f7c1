import { createSimulation } from '../serving/core/simulation';
import { makeCostModel } from '../serving/cost/make-cost-model';
import { replicaShapes, type Shapes } from '../serving/plan/enumerate';
import {
  createPlanSimulation,
  type PlanRun,
  type PlanTask,
  planLoad,
  planRun,
} from '../serving/plan/measure';
import { type SweepRun, sweepRun } from '../serving/sweep-point';
import type { CostModel } from '../serving/types';
import type { PlanParams } from '../spec/kinds/plan';
import type { ServeParams } from '../spec/kinds/serve';
import { type RatedLoad, workloadAtRate } from '../workload/at-rate';
import { readTables } from './simulation-jobs';
import { runSliced } from './sliced';
import { warmUp } from './warm-up';
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
  /** Loads a subject whose parallelism is searched, and says which shapes of a replica can be. */
  loadPlan(jobId: number, subject: SweepSubjectData, params: PlanParams): Promise<PlanStart>;
  /** One run of a plan under the load that is there. */
  measure(jobId: number, task: PlanTask): Promise<PlanRun>;
  /** Compiles what these strategies run. */
  warm(strategies: readonly ServeParams[]): void;
}

export interface PlanStart {
  readonly shapes: Shapes;
  /** Of the first shape that can be; words only. */
  readonly costModel: Pick<CostModel, 'kind' | 'label' | 'source'> | undefined;
}

export function createSweepService(): SweepApi {
  const jobs = new Map<number, AbortController>();
  let loaded: { readonly subject: SweepSubjectData; readonly tables: unknown } | undefined;
  /** By degrees: reading tables again for every run would cost more than the run. */
  const planModels = new Map<string, CostModel>();
  const modelOf = (): CostModel => {
    if (loaded === undefined) throw new Error('no strategy is loaded');
    return makeCostModel(loaded.subject.params, loaded.tables);
  };
  async function controlled<T>(
    jobId: number,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const controller = new AbortController();
    jobs.set(jobId, controller);
    try {
      return await work(controller.signal);
    } finally {
      jobs.delete(jobId);
    }
  }
  return {
    async load(_jobId, subject) {
      const tables = subject.tables === undefined ? undefined : await readTables(subject.tables);
      loaded = { subject, tables };
      const { kind, label, source } = modelOf();
      return { kind, label, source };
    },
    run(jobId, ratePerSecond, repeat) {
      const costModel = modelOf();
      const { params, load } = (loaded as NonNullable<typeof loaded>).subject;
      return controlled(jobId, async (signal) => {
        const workload = workloadAtRate(load, ratePerSecond, repeat);
        const simulation = createSimulation(params, workload, costModel);
        await runSliced(simulation, signal);
        return sweepRun(simulation.result().metrics);
      });
    },
    async loadPlan(_jobId, subject, params) {
      const tables = subject.tables === undefined ? undefined : await readTables(subject.tables);
      loaded = { subject, tables };
      planModels.clear();
      const shapes = replicaShapes(params, subject.params, tables);
      const [first = shapes.pools[0]] = shapes.mixed;
      if (first === undefined) return { shapes, costModel: undefined };
      const serve = { ...subject.params, tensorParallel: first.tensor };
      const { kind, label, source } = makeCostModel(serve, tables);
      return { shapes, costModel: { kind, label, source } };
    },
    measure(jobId, task) {
      if (loaded === undefined) throw new Error('no strategy is loaded');
      const { subject, tables } = loaded;
      const { params } = task;
      const key = JSON.stringify([params.tensorParallel, params.strategy]);
      const costModel = planModels.get(key) ?? makeCostModel(params, tables);
      planModels.set(key, costModel);
      return controlled(jobId, async (signal) => {
        const load = planLoad(subject.load, task);
        const simulation = createPlanSimulation(task, load, costModel);
        await runSliced(simulation, signal);
        return planRun(params, simulation.result());
      });
    },
    warm: warmUp,
    cancel: (jobId) => jobs.get(jobId)?.abort(),
  };
}
