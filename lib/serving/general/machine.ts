import { checkComposition } from '../compose/check-composition';
import type { Machine, MachineOptions } from '../engine/machine';
import { needsBlocks, neverFit } from '../engine/machine';
import { laneBlocks } from '../engine/roles';
import { admission, type RunningTokens } from '../parts/admission';
import { chunker } from '../parts/chunker';
import { kvAlloc } from '../parts/kv-alloc';
import { isLive, liveQueue } from '../parts/live-queue';
import { preemption } from '../parts/preemption';
import { priority } from '../parts/priority';
import { blocksOf, type InstanceView, type RequestView } from '../parts/views';
import { waitingQueue } from '../parts/waiting-queue';
import type { TimelineLane } from '../types';
import type { BlockCache } from './block-cache';
import { rejectsEarly } from './early-rejection';
import { createEstimator } from './estimator';
import { createGeneralLoop, type Refusals } from './event-loop';
import { withFirstRole } from './first-role';
import { secondsWith } from './iteration';
import { createProgramLedger, liveViewOf } from './live-view';
import { type MakeReplica, makeFleet } from './make-fleet';
import { leavesTooLittle } from './pausing';
import { createReplica, type Replica } from './replica';
import { createReuse } from './reuse';
import { runningTokens } from './running-tokens';
import { plainSends, programSends } from './sends';
import { createState, type State } from './state';
import { tiePins } from './tie-pins';
import { tieTiers } from './tie-tiers';

/**
 * A composed strategy with any of the parts, programs included, run one iteration at a time. Without
 * the parts that only this engine knows, its results are those of the fast engine.
 */
export function generalMachine(given: MachineOptions, audit?: State['audit']): Machine {
  const options = withFirstRole(given);
  const { strategy, workload, requests, kvPlan, plans, parity } = options;
  const problem = checkComposition(strategy);
  if (problem !== undefined) throw new Error(problem);
  const ledger = createProgramLedger(workload.programs, requests.count);
  const view: RequestView = {
    arrivalSeconds: requests.arrivalSeconds,
    prefillTokens: requests.prefillTokens,
    totalTokens: requests.totalTokens,
    clientIds: workload.clientIds ?? new Int32Array(requests.count),
    programStartSeconds: ledger.startSeconds,
  };
  const { blockTokens } = kvPlan;
  /** Of the smallest lane: a request may have to be computed again on any of them. */
  const blocksTotal = Math.min(...plans.map(laneBlocks));
  const watermarkBlocks = Math.floor(options.watermark * blocksTotal);
  const alloc = kvAlloc(strategy.kvAlloc, blockTokens);
  const order = priority(strategy.priority, view);
  const entry = admission(
    strategy.admission,
    alloc,
    view,
    (each: InstanceView): RunningTokens => runningTokens(state, each as Replica),
  );
  const estimator = createEstimator(options.costModel);
  const stateOf = () => state;
  // What a decode pool of its own degrees would take for an iteration of decodes.
  const decodeEstimator = createEstimator((plans[1] ?? plans[0]).costModel);
  const reuse = createReuse(options, estimator, stateOf);
  const caches = new Map<number, BlockCache | undefined>();
  const makeReplica: MakeReplica = (index, role, plan, { pipeline, memory, cacheOf }) => {
    // Lanes of one accelerator have one cache, a decode pool has none.
    const owner = cacheOf ?? (role === 'decode' ? undefined : index);
    if (owner !== undefined && !caches.has(owner)) caches.set(owner, reuse?.cacheOf(owner));
    const cache = owner === undefined ? undefined : caches.get(owner);
    const queue = isLive(strategy.priority)
      ? liveQueue(strategy.priority, view, liveViewOf(stateOf, cache, estimator))
      : waitingQueue(strategy.priority, order, view);
    const blocks = laneBlocks(plan);
    return createReplica(index, {
      role,
      queue,
      cache,
      costModel: plan.costModel,
      pipeline,
      blockTokens,
      blocksTotal: blocks,
      watermarkBlocks: Math.floor(options.watermark * blocks),
      ...(memory === undefined ? {} : { memory }),
    });
  };
  const { fleet, former } = makeFleet(options, makeReplica, view.clientIds, estimator);
  const state: State = createState({
    requests,
    parity,
    horizonSeconds: options.horizonSeconds,
    audit,
    trace: options.trace,
    programService: ledger.serviceTokens,
    kvBytesPerToken:
      options.kvBytesPerToken / (plans[0].degrees.tensor * plans[0].degrees.pipeline),
    parts: {
      former,
      chunker: chunker(strategy.chunker),
      admission: entry,
      priority: order,
      preemption: preemption(strategy.preemption, order, requests.arrivalSeconds),
      alloc,
      layerTokens: strategy.chunker.type === 'layer-group' ? strategy.chunker.maxTokens : undefined,
      isPartitioned: strategy.partition.type !== 'none',
      pauseSeconds:
        strategy.preemption.type === 'pause-at-operator'
          ? strategy.preemption.operatorMilliseconds / 1e3
          : undefined,
    },
  });
  state.firstTierLane = fleet.laneCount;
  const { hooks } = state;
  hooks.onSent = (id) => ledger.onSent(id, state.nowSeconds);
  hooks.onCompleted = (_, id) => ledger.onCompleted(id, requests.totalTokens[id] as number);
  if (strategy.router.type === 'least-ttft' || strategy.rejection.type === 'early')
    hooks.queueCost = (replica, id) => {
      const prompt = requests.prefillTokens[id] as number;
      const cached = replica.cache?.lookup(id).tokens ?? 0;
      return estimator.prefillSeconds(cached, prompt - cached);
    };
  hooks.staysOut = (replica, id, tokens) =>
    leavesTooLittle(state, replica, () => secondsWith(state, replica, id, tokens));
  const sends =
    workload.programs === undefined
      ? plainSends(requests.arrivalSeconds)
      : programSends(workload.programs, requests.arrivalSeconds);
  tieTiers(state, reuse, blockTokens);
  const pins = tiePins(options, state, fleet.replicas, sends, estimator);
  const others = [pins, reuse?.tiers].filter((each) => each !== undefined);
  const retry =
    strategy.router.type === 'reject-retry'
      ? {
          retrySeconds: strategy.router.retryMilliseconds / 1e3,
          timeoutSeconds: strategy.router.timeoutSeconds,
        }
      : { retrySeconds: Infinity, timeoutSeconds: Infinity };

  const { spareBlocks } = state.parts.preemption;
  const most = Math.min(alloc.mostTokens, entry.mostTokens);
  const isTooSlow = rejectsEarly(
    strategy.rejection,
    state,
    fleet.replicas,
    estimator,
    decodeEstimator,
  );
  let tooLong = 0;
  const tally: Refusals = { orphaned: 0, timedOut: 0, early: 0 };
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
    if (blocks + beside > blocksTotal) return needsBlocks(blocks, beside, blocksTotal);
    if (!isTooSlow(id)) return undefined;
    tally.early++;
    return 'would wait too long on every replica, by prediction,';
  }

  let lanes: TimelineLane[] | undefined;
  return {
    loop: createGeneralLoop(state, fleet, sends, others, retry, tally, refuse),
    iterations: () => state.iterations,
    lanes() {
      lanes ??= [...fleet.lanes(), ...(reuse?.tiers?.lanes() ?? [])];
      return lanes;
    },
    totals: () => fleet.replicas.map(({ log }) => log.totals),
    gaps: () => state.gaps.take(),
    refusals: (refused) => [
      ...neverFit(refused - tooLong - tally.orphaned - tally.timedOut - tally.early, blocksTotal),
      ...(tally.early > 0
        ? [`${tally.early} requests were rejected early: no replica was predicted to be in time`]
        : []),
      ...(tally.timedOut > 0
        ? [`${tally.timedOut} requests were turned away: no replica took them in time`]
        : []),
      ...(tally.orphaned > 0
        ? [`${tally.orphaned} requests were never sent, since one that they come of was refused`]
        : []),
      ...(tooLong > 0
        ? [`${tooLong} requests have more than ${most} tokens and were refused on arrival`]
        : []),
    ],
    columns: () => (reuse === undefined ? {} : { hitTokens: state.hitTokens }),
    extras: () => ({
      ...(reuse === undefined
        ? {}
        : {
            prefixCache: { queriedTokens: state.queriedTokens, hitTokens: state.reusedTokens },
          }),
      ...(reuse?.tiers === undefined ? {} : { tiers: reuse.tiers.use() }),
    }),
    notes: () => [
      ...new Set(plans.flatMap(({ pipeline }) => (pipeline ? [pipeline.label] : []))),
      ...(strategy.reuseRepair.type === 'exact'
        ? []
        : [
            'reused chunks are repaired and not exact: what that does to the answers is not simulated',
          ]),
      ...(state.pauses > 0
        ? [`${state.pauses} times a prefill stopped for a more urgent one`]
        : []),
      ...(strategy.chunker.type === 'layer-group' && options.costModel.pricesLayers !== true
        ? [
            'only the roofline prices a part of the layers: here it is that share of what the prompts add to an iteration',
          ]
        : []),
      ...(strategy.partition.type !== 'none'
        ? [
            'prompts and decodes run at the same time: how they slow each other is an assumption (SM share, contention), not a measurement',
          ]
        : []),
      ...(state.swaps > 0 ? [`${state.swaps} preemptions moved KV to host memory and back`] : []),
      ...(lanes?.some(({ runIterations }) => runIterations !== undefined)
        ? ['too many iterations to keep each: a row of the timeline is a run of them']
        : []),
    ],
  };
}
