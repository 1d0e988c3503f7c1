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
import type { RequestTracer } from '../trace/tracer';
import type { RequestColumns, ServeResult, TimelineLane } from '../types';
import { createRunLoop } from './event-loop';
import type { GapRuns } from './gap-runs';
import { createInstance, type Instance } from './instance';
import { makeFleet } from './make-fleet';
import type { Pipeline } from './pipeline';
import { laneBlocks, type RolePlan, type RolePlans } from './roles';
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
  /** Further columns of the requests, and further figures of the result, where an engine has any. */
  columns?(): Pick<RequestColumns, 'hitTokens'>;
  extras?(): Pick<ServeResult, 'prefixCache' | 'tiers' | 'swapping'>;
}

/** The sentence about requests that memory can never hold. */
export function neverFit(count: number, blocks: number): readonly string[] {
  return count > 0
    ? [`${count} requests can never fit in ${blocks} KV blocks and were refused on arrival`]
    : [];
}

/** Why one request can never run, as what follows its name. */
export function needsBlocks(blocks: number, beside: number, total: number): string {
  const more = beside > 0 ? ` and ${beside} free beside them` : '';
  return `needs ${blocks} KV blocks${more}, of ${total} in all,`;
}

export interface MachineOptions {
  readonly strategy: ComposedStrategy;
  readonly workload: Workload;
  readonly requests: Requests;
  readonly roles: RolePlans;
  /** Share of the blocks that stay free at admission. */
  readonly watermark: number;
  /** KV bytes of one token, over all accelerators of a replica. */
  readonly kvBytesPerToken: number;
  readonly layers: number;
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
  const { strategy, workload, requests, roles, parity } = options;
  const problem = checkComposition(strategy);
  if (problem !== undefined) throw new Error(problem);
  const view: RequestView = {
    arrivalSeconds: requests.arrivalSeconds,
    prefillTokens: requests.prefillTokens,
    totalTokens: requests.totalTokens,
    clientIds: workload.clientIds ?? new Int32Array(requests.count),
    limits: workload.limits,
  };
  const plans = 'mixed' in roles ? [roles.mixed] : [roles.prefill, roles.decode];
  const [{ kvPlan, degrees }] = plans as [RolePlan];
  const { blockTokens } = kvPlan;
  /** Of the smallest lane: a request may have to be computed again on any of them. */
  const blocksTotal = Math.min(...plans.map(laneBlocks));
  const watermarkBlocks = Math.floor(options.watermark * blocksTotal);
  const alloc = kvAlloc(strategy.kvAlloc, blockTokens);
  const order = priority(strategy.priority, view);
  const runningTokens = createRunningTokens();
  const entry = admission(
    strategy.admission,
    alloc,
    view,
    (each: InstanceView): RunningTokens => runningTokens(state, each as Instance),
  );
  const pull = strategy.topology.type === 'pools' ? strategy.topology.pull : undefined;
  const makeInstance = (
    index: number,
    role: Instance['role'],
    plan: RolePlan,
    pipeline: Pipeline | undefined,
  ): Instance => {
    const blocks = laneBlocks(plan);
    // What waits to be pulled holds blocks and no seat.
    const isPulled = pull?.type === 'threshold';
    return createInstance(index, {
      role,
      queue: waitingQueue(strategy.priority, order, view),
      blockTokens,
      blocksTotal: blocks,
      watermarkBlocks: Math.floor(options.watermark * blocks),
      costModel: plan.costModel,
      pipeline,
      seats: isPulled ? Infinity : entry.maxSequences,
      batchSeats: isPulled && role === 'prefill' ? pull.maxPrefillSequences : entry.maxSequences,
    });
  };
  const { fleet, former } = makeFleet(options, makeInstance, view.clientIds);
  const state: RunState = createRunState({
    requests,
    parity,
    horizonSeconds: options.horizonSeconds,
    trace: options.trace,
    kvBytesPerToken: options.kvBytesPerToken / (degrees.tensor * degrees.pipeline),
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
    if (reserved > blocksTotal) return `reserves ${reserved} of ${blocksTotal} KV blocks`;
    return blocks + beside > blocksTotal ? needsBlocks(blocks, beside, blocksTotal) : undefined;
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
      ...new Set(plans.flatMap(({ pipeline }) => (pipeline ? [pipeline.label] : []))),
      ...(state.swaps > 0 ? [`${state.swaps} preemptions moved KV to host memory and back`] : []),
      ...(lanes?.some(({ runIterations }) => runIterations !== undefined)
        ? ['too many iterations to keep each: a row of the timeline is a run of them']
        : []),
    ],
  };
}
