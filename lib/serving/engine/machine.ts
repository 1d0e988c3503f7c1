import type { ComposedStrategy } from '../../spec/kinds/serve-parts';
import type { Workload } from '../../workload/types';
import { checkComposition } from '../compose/check-composition';
import type { EventLoop } from '../core/event-loop';
import type { Requests } from '../core/requests';
import { admission, type RunningTokens } from '../parts/admission';
import { chunker } from '../parts/chunker';
import { kvAlloc } from '../parts/kv-alloc';
import { preemption } from '../parts/preemption';
import { priority } from '../parts/priority';
import { blocksOf, type InstanceView, type RequestView } from '../parts/views';
import { waitingQueue } from '../parts/waiting-queue';
import type { KvPlan } from '../presets/kv-plan';
import type { RequestTracer } from '../trace/tracer';
import type { CostModel, TimelineLane } from '../types';
import { createRunLoop } from './event-loop';
import type { GapRuns } from './gap-runs';
import { createInstance, type Instance } from './instance';
import { makeFleet } from './make-fleet';
import type { LaneTotals } from './run-log';
import { createRunState, type RunState } from './run-state';
import { createRunningTokens } from './running-tokens';

/** A simulation under way, whichever engine runs it. */
export interface Machine {
  readonly loop: EventLoop;
  iterations(): number;
  lanes(): TimelineLane[];
  /** One entry per lane that computes. */
  totals(lanes: readonly TimelineLane[]): readonly LaneTotals[];
  gaps(): ReturnType<GapRuns['take']>;
  /** Why requests were refused, in words. */
  refusals(refused: number): readonly string[];
  notes(): readonly string[];
}

/** The sentence about requests that memory can never hold. */
export function neverFit(count: number, blocks: number): readonly string[] {
  return count > 0
    ? [`${count} requests can never fit in ${blocks} KV blocks and were refused on arrival`]
    : [];
}

export interface MachineOptions {
  readonly strategy: ComposedStrategy;
  readonly workload: Workload;
  readonly requests: Requests;
  readonly costModel: CostModel;
  readonly kvPlan: KvPlan;
  readonly watermarkBlocks: number;
  /** KV bytes of one token, over all accelerators of a replica. */
  readonly kvBytesPerToken: number;
  readonly tensorParallel: number;
  readonly horizonSeconds: number;
  readonly parity: boolean;
  /** Told what becomes of one request. */
  readonly trace?: RequestTracer | undefined;
}

/**
 * A composed strategy, ready to run.
 * @throws Error with one sentence when the parts contradict each other
 */
export function composedMachine(options: MachineOptions): Machine {
  const { strategy, workload, requests, kvPlan, watermarkBlocks, parity } = options;
  const problem = checkComposition(strategy);
  if (problem !== undefined) throw new Error(problem);
  const view: RequestView = {
    arrivalSeconds: requests.arrivalSeconds,
    prefillTokens: requests.prefillTokens,
    totalTokens: requests.totalTokens,
    clientIds: workload.clientIds ?? new Int32Array(requests.count),
  };
  const { blocks: blocksTotal, blockTokens } = kvPlan;
  const alloc = kvAlloc(strategy.kvAlloc, blockTokens);
  const order = priority(strategy.priority, view);
  const runningTokens = createRunningTokens();
  const entry = admission(
    strategy.admission,
    alloc,
    view,
    (each: InstanceView): RunningTokens => runningTokens(state, each as Instance),
  );
  const makeInstance = (index: number, role: Instance['role']): Instance =>
    createInstance(index, {
      role,
      queue: waitingQueue(strategy.priority, order, view),
      blockTokens,
      blocksTotal,
      watermarkBlocks,
    });
  const { fleet, former } = makeFleet(options, makeInstance, view.clientIds);
  const state: RunState = createRunState({
    requests,
    costModel: options.costModel,
    parity,
    horizonSeconds: options.horizonSeconds,
    trace: options.trace,
    kvBytesPerToken: options.kvBytesPerToken / options.tensorParallel,
    parts: {
      former,
      chunker: chunker(strategy.chunker),
      admission: entry,
      priority: order,
      preemption: preemption(strategy.preemption, order, requests.arrivalSeconds),
      alloc,
    },
  });

  const { spareBlocks } = state.parts.preemption;
  /** Tokens that a slot or a reservation has at most. */
  const most = Math.min(alloc.mostTokens, entry.mostTokens);
  let tooLong = 0;
  function refuse(id: number): string | undefined {
    if (parity) return undefined;
    // The last token is emitted and never fed, so it needs no KV.
    const tokens = (requests.totalTokens[id] as number) - 1;
    if (tokens > most) {
      tooLong++;
      return `has ${tokens} tokens above ${most}`;
    }
    // A decode asks for a free block even when it needs none, so one must stay free beside the request.
    const beside = Math.max(entry.spareBlocks(watermarkBlocks), alloc.grows ? spareBlocks : 0);
    const blocks = alloc.grows ? blocksOf(tokens, blockTokens) : alloc.entryBlocks(tokens);
    const reserved = entry.commits(id, blockTokens);
    if (reserved > blocksTotal) return `reserves ${reserved} KV blocks`;
    return blocks + beside > blocksTotal ? `needs ${blocks} KV blocks` : undefined;
  }

  let lanes: TimelineLane[] | undefined;
  return {
    loop: createRunLoop(state, fleet, refuse),
    iterations: () => state.iterations,
    lanes() {
      lanes ??= fleet.lanes();
      return lanes;
    },
    totals: () => fleet.instances.map(({ log }) => log.totals),
    gaps: () => state.gaps.take(),
    refusals: (refused) => [
      ...neverFit(refused - tooLong, blocksTotal),
      ...(tooLong > 0
        ? [`${tooLong} requests have more than ${most} tokens and were refused on arrival`]
        : []),
    ],
    notes: () => [
      ...(state.swaps > 0 ? [`${state.swaps} preemptions moved KV to host memory and back`] : []),
      ...(lanes?.some(({ runIterations }) => runIterations !== undefined)
        ? ['too many iterations to keep each: a row of the timeline is a run of them']
        : []),
    ],
  };
}
