import { checkComposition } from '../compose/check-composition';
import type { Machine, MachineOptions } from '../engine/machine';
import { neverFit } from '../engine/machine';
import { admission, type RunningTokens } from '../parts/admission';
import { chunker } from '../parts/chunker';
import { kvAlloc } from '../parts/kv-alloc';
import { preemption } from '../parts/preemption';
import { priority } from '../parts/priority';
import { blocksOf, type InstanceView, type RequestView } from '../parts/views';
import { waitingQueue } from '../parts/waiting-queue';
import type { TimelineLane } from '../types';
import { createEstimator } from './estimator';
import { createGeneralLoop } from './event-loop';
import { makeFleet } from './make-fleet';
import { withOneRole } from './one-role';
import { createReplica, type Replica } from './replica';
import { cacheMaker } from './reuse';
import { runningTokens } from './running-tokens';
import { plainSends, programSends } from './sends';
import { createState, type State } from './state';
import { usePins } from './use-pins';

/**
 * A composed strategy with any of the parts, programs included, run one iteration at a time. Without
 * the parts that only this engine knows, its results are those of the fast engine.
 */
export function generalMachine(given: MachineOptions, audit?: State['audit']): Machine {
  const options = withOneRole(given);
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
  const entry = admission(
    strategy.admission,
    alloc,
    view,
    (each: InstanceView): RunningTokens => runningTokens(state, each as Replica),
  );
  const estimator = createEstimator(options.costModel);
  const makeCache = cacheMaker(options, estimator, () => undefined);
  const makeReplica = (index: number, role: Replica['role']): Replica =>
    createReplica(index, {
      role,
      queue: waitingQueue(strategy.priority, order, view),
      cache: role === 'decode' ? undefined : makeCache?.(index),
      blockTokens,
      blocksTotal,
      watermarkBlocks,
    });
  const { fleet, former } = makeFleet(options, makeReplica, view.clientIds);
  const state: State = createState({
    requests,
    costModel: options.costModel,
    parity,
    horizonSeconds: options.horizonSeconds,
    audit,
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
  const sends =
    workload.programs === undefined
      ? plainSends(requests.arrivalSeconds)
      : programSends(workload.programs, requests.arrivalSeconds);

  const pins = usePins(options, state, sends, estimator);

  const { spareBlocks } = state.parts.preemption;
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
    loop: createGeneralLoop(state, fleet, sends, pins === undefined ? [] : [pins], refuse),
    iterations: () => state.iterations,
    lanes() {
      lanes ??= fleet.lanes();
      return lanes;
    },
    totals: () => fleet.replicas.map(({ log }) => log.totals),
    gaps: () => state.gaps.take(),
    refusals: (refused) => [
      ...neverFit(refused - tooLong, blocksTotal),
      ...(tooLong > 0
        ? [`${tooLong} requests have more than ${most} tokens and were refused on arrival`]
        : []),
    ],
    columns: () => (makeCache === undefined ? {} : { hitTokens: state.hitTokens }),
    extras: () =>
      makeCache === undefined
        ? {}
        : {
            prefixCache: {
              queriedTokens: state.queriedTokens,
              hitTokens: state.reusedTokens,
            },
          },
    notes: () => [
      ...(state.swaps > 0 ? [`${state.swaps} preemptions moved KV to host memory and back`] : []),
      ...(lanes?.some(({ runIterations }) => runIterations !== undefined)
        ? ['too many iterations to keep each: a row of the timeline is a run of them']
        : []),
    ],
  };
}
