import type { ServeParams } from '../../spec/kinds/serve';
import type { Workload } from '../../workload/types';
import { createSimulation, type Simulation } from '../core/simulation';
import type { CostModel, RequestColumns } from '../types';
import { createTracer } from './tracer';
import type { RequestTrace, TraceOrigin } from './types';

/** A run made again to tell of one request; it ends with that request. */
export interface TraceRun extends Pick<Simulation, 'advance' | 'progress'> {
  result(): RequestTrace;
}

/**
 * Replays a run up to the end of one request, with the engine telling why it waits: a simulation is
 * deterministic, so this is the run that was made, to the bit.
 *
 * @throws RangeError when the workload has no such request
 */
export function createTraceRun(
  params: ServeParams,
  workload: Workload,
  costModel: CostModel,
  id: number,
): TraceRun {
  const count = workload.arrivalSeconds.length;
  if (!Number.isInteger(id) || id < 0 || id >= count)
    throw new RangeError(`invalid request: ${id} (expected 0..${count - 1})`);
  const trace = createTracer(id);
  const simulation = createSimulation(params, workload, costModel, { trace });
  const common = {
    id,
    promptTokens: workload.promptTokens[id] as number,
    outputTokens: workload.outputTokens[id] as number,
  };

  return {
    advance: (iterations) => !trace.isDone && simulation.advance(iterations),
    progress: () => simulation.progress(),
    result() {
      const { requests } = simulation.result();
      const { refusal } = trace;
      const now = simulation.progress().simulatedSeconds;
      // Of a program's request it is when it was sent, if it was.
      const sent = requests.arrivalSeconds[id] as number;
      const isSent = sent <= params.horizonSeconds;
      const arrivalSeconds = isSent ? sent : now;
      const completed = requests.completedSeconds[id] as number;
      const isRefused = requests.refused[id] === 1;
      const open = isSent ? 'unfinished' : 'unsent';
      const end = isRefused ? 'refused' : Number.isNaN(completed) ? open : 'completed';
      const endSeconds = {
        completed,
        refused: Math.max(arrivalSeconds, refusal?.atSeconds ?? arrivalSeconds),
        unsent: arrivalSeconds,
        unfinished: Math.max(arrivalSeconds, now),
      }[end];
      const told = trace.take(endSeconds);
      const origin = end === 'unsent' ? undefined : originOf(workload, requests, id);
      const why = isRefused && refusal !== undefined ? { refusal: refusal.why } : {};
      const from = origin === undefined ? {} : { origin };
      return { ...common, arrivalSeconds, end, endSeconds, ...why, ...from, ...told };
    },
  };
}

/** What a request of a program was sent after; undefined for one that comes on its own, or of a refused one. */
function originOf(
  { programs }: Workload,
  { completedSeconds }: RequestColumns,
  id: number,
): TraceOrigin | undefined {
  if (programs === undefined) return undefined;
  let after: number | undefined;
  let endedSeconds = -Infinity;
  for (let i = programs.offsets[id] as number; i < (programs.offsets[id + 1] as number); i++) {
    const each = programs.predecessors[i] as number;
    const ended = completedSeconds[each] as number;
    if (Number.isNaN(ended)) return undefined;
    if (ended <= endedSeconds) continue;
    after = each;
    endedSeconds = ended;
  }
  return after === undefined
    ? undefined
    : { after, endedSeconds, gapSeconds: programs.gapSeconds[id] as number };
}
