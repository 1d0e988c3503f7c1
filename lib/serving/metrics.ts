import type { ServeParams } from '../spec/kinds/serve';
import { summarize } from '../stats/percentiles';
import type { Workload } from '../workload/types';
import type { LaneTotals } from './engine/run-log';
import { limitMetrics } from './limit-metrics';
import { programMetrics } from './program-metrics';
import { describeInstability } from './stability';
import type { Percentiles, RequestColumns, ServeMetrics } from './types';

type Outcomes = Pick<
  RequestColumns,
  | 'arrivalSeconds'
  | 'firstScheduledSeconds'
  | 'firstTokenSeconds'
  | 'completedSeconds'
  | 'restarts'
  | 'refused'
>;

export interface MetricsInput {
  readonly params: Pick<ServeParams, 'slo'>;
  readonly requests: Outcomes;
  readonly workload: Pick<Workload, 'promptTokens' | 'outputTokens' | 'programs' | 'limits'>;
  /** One entry per replica. */
  readonly laneTotals: readonly LaneTotals[];
  /** Of one lane that computes, by its place in `laneTotals`. */
  readonly kvBlocksOf: (lane: number) => number;
  readonly tbtSeconds: Percentiles;
  readonly backlog: Int32Array;
  readonly arrived: number;
  readonly iterations: number;
}

/** Mean time per output token after the first; NaN for a single token, which has no such gap. */
export function tpotSeconds(firstToken: number, completed: number, outputTokens: number): number {
  return outputTokens > 1 ? (completed - firstToken) / (outputTokens - 1) : Number.NaN;
}

/**
 * Requests that completed within both limits. What never completed is a violation; a request of
 * one token meets any TPOT.
 */
export function countAttained(
  requests: Outcomes,
  outputTokens: Int32Array,
  slo: ServeParams['slo'],
): number {
  let attained = 0;
  for (let i = 0; i < outputTokens.length; i++) {
    const completed = requests.completedSeconds[i] as number;
    const first = requests.firstTokenSeconds[i] as number;
    if (Number.isNaN(completed)) continue;
    const ttft = first - (requests.arrivalSeconds[i] as number);
    const tpot = tpotSeconds(first, completed, outputTokens[i] as number);
    if (ttft <= slo.ttftSeconds && !(tpot > slo.tpotSeconds)) attained++;
  }
  return attained;
}

/** Attainment and goodput for an SLO, from the outcomes of a run: what a slider needs, without a rerun. */
export function goodput(
  requests: Outcomes,
  outputTokens: Int32Array,
  slo: ServeParams['slo'],
  makespanSeconds: number,
): Pick<ServeMetrics, 'goodputPerSecond' | 'sloAttainment' | 'sloAttained'> {
  const attained = countAttained(requests, outputTokens, slo);
  const sloAttainment = outputTokens.length === 0 ? Number.NaN : attained / outputTokens.length;
  return {
    goodputPerSecond: makespanSeconds > 0 ? attained / makespanSeconds : Number.NaN,
    sloAttainment,
    sloAttained: sloAttainment >= slo.attainment,
  };
}

/** Every metric of a run; units and definitions are those of `ServeMetrics`. */
export function serveMetrics(input: MetricsInput): ServeMetrics {
  const { requests, workload, laneTotals, kvBlocksOf } = input;
  const count = requests.arrivalSeconds.length;
  const difference = (a: Float64Array, b: Float64Array) =>
    a.map((value, i) => value - (b[i] as number));
  const completed = requests.completedSeconds.reduce((n, t) => n + (Number.isNaN(t) ? 0 : 1), 0);
  const refused = requests.refused.reduce((a, b) => a + b, 0);

  let makespan = 0;
  let busy = 0;
  let batchSum = 0;
  let kvMax = 0;
  let kvSeconds = 0;
  for (const [i, lane] of laneTotals.entries()) {
    const kvBlocksTotal = kvBlocksOf(i);
    makespan = Math.max(makespan, lane.lastEndSeconds);
    busy += lane.busySeconds;
    batchSum += lane.batchSum;
    kvSeconds += lane.kvBlockSeconds / kvBlocksTotal;
    kvMax = Math.max(kvMax, lane.kvMax / kvBlocksTotal);
  }
  let outputTokens = 0;
  let totalTokens = 0;
  for (let i = 0; i < count; i++) {
    if (Number.isNaN(requests.completedSeconds[i])) continue;
    outputTokens += workload.outputTokens[i] as number;
    totalTokens += (workload.outputTokens[i] as number) + (workload.promptTokens[i] as number);
  }
  const perSecond = (amount: number) => (makespan > 0 ? amount / makespan : Number.NaN);
  const limits = limitMetrics(workload, requests);
  const unstableReason = describeInstability(input.backlog, input.arrived);
  return {
    requests: count,
    completed,
    refused,
    unfinished: count - completed - refused,
    restarts: requests.restarts.reduce((a, b) => a + b, 0),
    iterations: input.iterations,
    makespanSeconds: makespan,
    ttftSeconds: summarize(difference(requests.firstTokenSeconds, requests.arrivalSeconds)),
    tpotSeconds: summarize(
      requests.completedSeconds.map((end, i) =>
        tpotSeconds(
          requests.firstTokenSeconds[i] as number,
          end,
          workload.outputTokens[i] as number,
        ),
      ),
    ),
    tbtSeconds: input.tbtSeconds,
    e2eSeconds: summarize(difference(requests.completedSeconds, requests.arrivalSeconds)),
    schedulingDelaySeconds: summarize(
      difference(requests.firstScheduledSeconds, requests.arrivalSeconds),
    ),
    requestsPerSecond: perSecond(completed),
    outputTokensPerSecond: perSecond(outputTokens),
    totalTokensPerSecond: perSecond(totalTokens),
    kvUse: { mean: busy > 0 ? kvSeconds / busy : 0, max: kvMax },
    busyFraction: makespan > 0 ? busy / (makespan * laneTotals.length) : 0,
    meanBatchSize: input.iterations > 0 ? batchSum / input.iterations : 0,
    ...goodput(requests, workload.outputTokens, input.params.slo, makespan),
    ...(limits === undefined ? {} : { limits }),
    unstable: unstableReason !== undefined,
    unstableReason,
    ...(workload.programs === undefined
      ? {}
      : { programs: programMetrics(workload.programs.programIds, requests) }),
  };
}
