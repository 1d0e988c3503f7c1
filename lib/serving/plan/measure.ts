import type { ServeParams } from '../../spec/kinds/serve';
import { type RatedLoad, workloadAtRate } from '../../workload/at-rate';
import type { Workload } from '../../workload/types';
import { createSimulation, type Simulation } from '../core/simulation';
import { replicaGroups } from '../presets/degrees';
import { HARDWARE } from '../presets/hardware';
import { type SweepRun, sweepRun } from '../sweep-point';
import type { CostModel, ServeResult } from '../types';
import type { Phase } from './enumerate';

/** One simulation of a plan search. */
export interface PlanTask {
  readonly params: ServeParams;
  /** A phase alone: prompts with one token of output, or decoding of prompts that cost nothing. */
  readonly phase: Phase;
  readonly ratePerSecond: number;
  readonly repeat: number;
  /** Requests that the load has: of a trace the first so many. */
  readonly requests: number;
}

/** What a plan search keeps of one simulation. */
export interface PlanRun extends SweepRun {
  /** Of the requests that were completed. */
  readonly outputTokens: number;
  /** Seconds at work, over all accelerators. */
  readonly busySeconds: number;
  /** Seconds at full power that the energy above idling amounts to, over all accelerators. */
  readonly workSeconds: number;
}

/** Enough for a percentile, and no more than a worker does in seconds. */
const LEAST_REQUESTS = 100;
const MOST_REQUESTS = 20_000;

/** Requests that arrive in so many seconds. */
export function requestsOf(ratePerSecond: number, seconds: number): number {
  return Math.min(MOST_REQUESTS, Math.max(LEAST_REQUESTS, Math.ceil(ratePerSecond * seconds)));
}

/** The load of a task: a generator draws the requests that it asks for. */
export function planLoad(load: RatedLoad, task: PlanTask): Workload {
  const { ratePerSecond, repeat, requests } = task;
  if (load.type === 'trace')
    return firstRequests(workloadAtRate(load, ratePerSecond, repeat), requests);
  const { params } = load;
  const source = { ...params.source, requests } as typeof params.source;
  return workloadAtRate(
    { type: 'generator', params: { ...params, source } },
    ratePerSecond,
    repeat,
  );
}

/** Longer than any run: a limit that is not asked for. */
const NO_LIMIT_SECONDS = 1e9;

function firstRequests(workload: Workload, count: number): Workload {
  if (count >= workload.arrivalSeconds.length) return workload;
  const { content, priority, clientIds, programs, ...rest } = workload;
  return {
    ...rest,
    arrivalSeconds: workload.arrivalSeconds.slice(0, count),
    promptTokens: workload.promptTokens.slice(0, count),
    outputTokens: workload.outputTokens.slice(0, count),
    content:
      content === undefined
        ? undefined
        : {
            ...content,
            offsets: content.offsets.slice(0, count + 1),
            ids: content.ids.slice(0, content.offsets[count]),
          },
    priority: priority?.slice(0, count),
    ...(clientIds !== undefined && { clientIds: clientIds.slice(0, count) }),
    ...(programs !== undefined && {
      programs: {
        programIds: programs.programIds.slice(0, count),
        offsets: programs.offsets.slice(0, count + 1),
        predecessors: programs.predecessors.slice(0, programs.offsets[count]),
        gapSeconds: programs.gapSeconds.slice(0, count),
      },
    }),
  };
}

/** The simulation of a task, ready to run, under the load at the task's rate. */
export function createPlanSimulation(
  { params, phase }: PlanTask,
  load: Workload,
  costModel: CostModel,
): Simulation {
  if (phase === 'mixed') return createSimulation(params, load, costModel);
  if (phase === 'prefill') {
    const workload = { ...load, outputTokens: load.outputTokens.map(() => 1) };
    return createSimulation(params, workload, costModel);
  }
  const slo = { ...params.slo, ttftSeconds: NO_LIMIT_SECONDS };
  return createSimulation({ ...params, slo }, load, costModel, { isPrefillFree: true });
}

/** What is kept of it. */
export function planRun(params: ServeParams, result: ServeResult): PlanRun {
  const groups = replicaGroups(params);
  const { makespanSeconds, outputTokensPerSecond } = result.metrics;
  let busySeconds = 0;
  for (const lane of result.lanes) {
    const group = groups.find(({ role }) => role === lane.role);
    // A micro-batch of a pipeline is on one stage at a time.
    if (group !== undefined)
      busySeconds += lane.durationSeconds.reduce((a, b) => a + b, 0) * group.degrees.tensor;
  }
  return {
    ...sweepRun(result.metrics),
    outputTokens: makespanSeconds > 0 ? outputTokensPerSecond * makespanSeconds : 0,
    busySeconds,
    workSeconds: workSeconds(params, result, busySeconds),
  };
}

/** What the energy of a run is above idling, as time at full power. */
function workSeconds(
  { energy, hardware }: ServeParams,
  { metrics, accelerators }: ServeResult,
  busySeconds: number,
): number {
  const { boardWatts } = HARDWARE[hardware];
  const idleWatts = energy.idleShare * boardWatts;
  // Where idling takes all power, the energy does not tell work from waiting.
  if (metrics.energyJoules === undefined || idleWatts >= boardWatts) return busySeconds;
  const above = metrics.energyJoules - idleWatts * accelerators * metrics.makespanSeconds;
  return Math.max(0, above) / (boardWatts - idleWatts);
}
