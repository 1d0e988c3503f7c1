import type { ServeParams } from '../../spec/kinds/serve';
import type { Workload } from '../../workload/types';
import { toComposed } from '../compose/to-composed';
import { createSimulation, type Simulation } from '../core/simulation';
import { needsGeneral } from '../general/needs-general';
import type { CostModel, RequestColumns } from '../types';
import { createTracer } from './tracer';
import type { RequestTrace, TracePhase } from './types';

/** A run made again to tell of one request; it ends with that request. */
export interface TraceRun extends Pick<Simulation, 'advance' | 'progress'> {
  result(): RequestTrace;
}

/**
 * Replays a run up to the end of one request, with the engine telling why it waits: a simulation is
 * deterministic, so this is the run that was made, to the bit. Engines without a tracer give the
 * phases that their columns tell.
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
  const { strategy } = params;
  const composed = toComposed(strategy);
  // The general engine tells no reasons yet.
  const isTold =
    strategy.type === 'vllm-v1' || (composed !== undefined && !needsGeneral(composed, workload));
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
      // Of a program's request it is when it was sent.
      const arrivalSeconds = requests.arrivalSeconds[id] as number;
      const completed = requests.completedSeconds[id] as number;
      const end =
        requests.refused[id] === 1
          ? 'refused'
          : Number.isNaN(completed)
            ? 'unfinished'
            : 'completed';
      const endSeconds =
        end === 'completed'
          ? completed
          : end === 'refused'
            ? arrivalSeconds
            : Math.max(arrivalSeconds, simulation.progress().simulatedSeconds);
      const told = isTold
        ? trace.take(endSeconds)
        : { phases: coarsePhases(requests, id, endSeconds), preemptions: [] };
      return { ...common, arrivalSeconds, end, endSeconds, ...told };
    },
  };
}

/** Queue, prefill and decode, as far as the columns of a run tell them. */
export function coarsePhases(
  requests: RequestColumns,
  id: number,
  endSeconds: number,
): readonly TracePhase[] {
  const marks = [
    requests.arrivalSeconds[id] as number,
    requests.firstScheduledSeconds[id] as number,
    requests.firstTokenSeconds[id] as number,
    endSeconds,
  ];
  const lanes = [-1, requests.prefillLane[id] as number, requests.decodeLane[id] as number];
  const parts = ['queue', 'prefill', 'decode'] as const;
  const phases: TracePhase[] = [];
  let from = marks[0] as number;
  for (const [i, part] of parts.entries()) {
    const mark = marks[i + 1] as number;
    const to = Number.isNaN(mark) ? endSeconds : mark;
    if (to > from) {
      phases.push({
        startSeconds: from,
        endSeconds: to,
        lane: lanes[i] as number,
        activity: { kind: 'untold', part },
      });
    }
    if (Number.isNaN(mark)) break;
    from = to;
  }
  return phases;
}
