import type { ServeParams } from '../../spec/kinds/serve';
import type { IterationProfile } from '../../spec/kinds/serve-profile';
import type { Workload } from '../../workload/types';
import { simulate } from '../core/simulation';
import { profileCostModel } from '../cost/profile';
import { type IterationCosts, inferredCosts, inferredSteps } from './infer-steps';
import { nelderMead } from './nelder-mead';
import type { RequestLog } from './read-log';
import { heldOutRows, type ResidualRow } from './residuals';

/** Simulations that one fit may take. */
const MAX_SIMULATIONS = 360;
/** Least part of the whole time that a cost begins with, so that the search can move it. */
const LEAST_PART = 0.01;

export interface LogFit {
  readonly profile: IterationProfile;
  readonly residuals: readonly ResidualRow[];
  readonly simulations: number;
  readonly notes: readonly string[];
}

function profileOf(costs: readonly number[], about: Partial<IterationProfile>): IterationProfile {
  const [base = 0, token = 0, pair = 0, decode = 0, context = 0] = costs;
  return {
    law: 'iteration',
    label: '',
    source: '',
    rows: 0,
    medianErrorPct: 0,
    p90ErrorPct: 0,
    measuredTokens: 0,
    measuredContextTokens: 0,
    ...about,
    baseMicroseconds: base,
    perPrefillTokenMicroseconds: token,
    perPairMicroseconds: pair,
    perDecodeMicroseconds: decode,
    perDecodeContextTokenMicroseconds: context,
  };
}

function workloadOf(log: RequestLog): Workload {
  return {
    arrivalSeconds: log.arrivalSeconds,
    promptTokens: log.promptTokens,
    outputTokens: log.outputTokens,
    label: 'requests of a log',
    source: 'log',
    seed: 0,
    notes: [],
  };
}

/** Simulated seconds from arrival to first and last token; NaN where a request did not end. */
function timesOf(log: RequestLog, params: ServeParams, costs: readonly number[]) {
  const { requests } = simulate(params, workloadOf(log), profileCostModel(profileOf(costs, {}), 0));
  return {
    ttft: requests.firstTokenSeconds.map((at, i) => at - (log.arrivalSeconds[i] as number)),
    latency: requests.completedSeconds.map((at, i) => at - (log.arrivalSeconds[i] as number)),
  };
}

/** Seconds per output token after the first; NaN for requests of one token. */
function tpotOf(log: RequestLog, ttft: Float64Array, latency: Float64Array): Float64Array {
  return latency.map(
    (each, i) => (each - (ttft[i] as number)) / ((log.outputTokens[i] as number) - 1 || Number.NaN),
  );
}

/**
 * The law of a whole iteration, base + b prefill tokens + e pairs + c decodes + d decode context,
 * from a log of one replica: first by least squares on inferred steps, then a simplex search over
 * the simulator for the least mean |ln(simulated / measured)| of TTFT and latency. A fifth of the
 * requests is in every simulation, and in no error that the search sees.
 *
 * @param params the engine's settings; the cost model in them does not matter
 * @yields the share of the search that is done
 * @throws Error where no request of the log decodes, or the settings refuse some
 */
export function* fitLog(
  log: RequestLog,
  params: ServeParams,
  about: Pick<IterationProfile, 'label' | 'source'>,
): Generator<number, LogFit> {
  const count = log.arrivalSeconds.length;
  const isHeld = heldOutRows(count, 'requests');
  const { columns, seconds } = inferredSteps(log);
  if (seconds.length === 0) throw new Error('no request of the log has two output tokens');
  const inferred = inferredCosts(log, isHeld);
  const total = seconds.reduce((sum, each) => sum + each, 0) * 1e6;
  const start = inferred.map((cost, feature) => {
    const all = (columns[feature] ?? []).reduce((sum, each) => sum + each, 0);
    return Math.max(cost, all > 0 ? (LEAST_PART * total) / all : 1e-9);
  });
  const loss = (logs: readonly number[]): number => {
    const { ttft, latency } = timesOf(log, params, logs.map(Math.exp));
    let sum = 0;
    for (let i = 0; i < count; i++) {
      if (isHeld[i] === 1) continue;
      const ends = latency[i] as number;
      if (!(ends > 0)) return Infinity;
      sum += Math.abs(Math.log((ttft[i] as number) / (log.ttftSeconds[i] as number)));
      sum += Math.abs(Math.log(ends / (log.latencySeconds[i] as number)));
    }
    return sum / count;
  };
  const logs = start.map(Math.log);
  if (loss(logs) === Infinity)
    throw new Error(
      `some requests do not fit the engine's settings (${params.memory.kvBlocks} KV blocks of ${params.memory.blockTokens} tokens)`,
    );
  const half = MAX_SIMULATIONS / 2;
  let done = 0;
  let found = { at: logs as readonly number[], evaluations: 0 };
  // A second simplex around the first one's minimum, since the first may collapse early.
  for (const step of [0.3, 0.15]) {
    const search = nelderMead(loss, found.at, step, half);
    for (;;) {
      const next = search.next();
      if (next.done === true) {
        done += next.value.evaluations;
        found = next.value;
        break;
      }
      yield Math.min(1, (done + next.value) / MAX_SIMULATIONS);
    }
  }
  const costs = found.at.map(Math.exp) as unknown as IterationCosts;
  const simulated = timesOf(log, params, costs);
  const residuals: ResidualRow[] = [];
  const add = (part: string, measured: Float64Array, predicted: Float64Array): void => {
    for (let i = 0; i < count; i++) {
      if (!Number.isFinite(measured[i]) || !((measured[i] as number) > 0)) continue;
      residuals.push({
        part,
        measured: (measured[i] as number) * 1e6,
        predicted: (predicted[i] as number) * 1e6,
        isHeldOut: isHeld[i] === 1,
      });
    }
  };
  add('time to first token', log.ttftSeconds, simulated.ttft);
  add('latency', log.latencySeconds, simulated.latency);
  add(
    'time per output token',
    tpotOf(log, log.ttftSeconds, log.latencySeconds),
    tpotOf(log, simulated.ttft, simulated.latency),
  );
  const context = log.promptTokens.reduce(
    (most, prompt, i) => Math.max(most, prompt + (log.outputTokens[i] as number)),
    0,
  );
  return {
    profile: profileOf(costs, { ...about, rows: count, measuredContextTokens: context }),
    residuals,
    simulations: done,
    notes: [
      'one load tells little of the costs apart from each other: trust the fit near the load of its log',
    ],
  };
}
