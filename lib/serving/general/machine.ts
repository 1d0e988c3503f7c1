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
import type { SessionHomes } from '../parts/router';
import { blocksOf, type InstanceView, type RequestView } from '../parts/views';
import { waitingQueue } from '../parts/waiting-queue';
import type { TimelineLane } from '../types';
import type { BlockCache } from './block-cache';
import { createBlockRuns } from './block-runs';
import { rejectsEarly } from './early-rejection';
import { createEstimator } from './estimator';
import { createGeneralLoop, type Refusals } from './event-loop';
import { withAllInEachRole, withFirstRole } from './first-role';
import { secondsWith } from './iteration';
import { createLate } from './late';
import { createProgramLedger, liveViewOf } from './live-view';
import { type MakeReplica, makeFleet } from './make-fleet';
import { leavesTooLittle } from './pausing';
import { createReplica, type Replica } from './replica';
import { createReuse } from './reuse';
import { runningTokens } from './running-tokens';
import { plainSends, programSends } from './sends';
import { createSessionBook } from './session-book';
import { createState, type State } from './state';
import { createStealing } from './stealing';
import { changingAccelerators, inlineEncoding, tieEncode } from './tie-encode';
import { tieHostSwap } from './tie-host-swap';
import { tiePins } from './tie-pins';
import { tieTiers } from './tie-tiers';

/**
 * A composed strategy with any of the parts, programs included, run one iteration at a time. Without
 * the parts that only this engine knows, its results are those of the fast engine.
 */
export function generalMachine(given: MachineOptions, audit?: State['audit']): Machine {
  const changing = changingAccelerators(given.strategy);
  const options = withFirstRole(
    changing === undefined ? given : withAllInEachRole(given, changing),
  );
  const { strategy, workload, requests, kvPlan, plans, parity } = options;
  const problem = checkComposition(strategy);
  if (problem !== undefined) throw new Error(problem);
  const ledger = createProgramLedger(workload, requests.count);
  const book = createSessionBook(workload, requests.count);
  const view: RequestView = {
    arrivalSeconds: requests.arrivalSeconds,
    prefillTokens: requests.prefillTokens,
    totalTokens: requests.totalTokens,
    clientIds: workload.clientIds ?? new Int32Array(requests.count),
    programStartSeconds: ledger.startSeconds,
    limits: workload.limits,
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
  const reuse = createReuse(options, estimator, stateOf, book);
  const caches = new Map<number, BlockCache | undefined>();
  const makeReplica: MakeReplica = (index, role, plan, { pipeline, memory, cacheOf }) => {
    // Lanes of one accelerator have one cache, a decode pool has none.
    const owner = cacheOf ?? (role === 'decode' ? undefined : index);
    if (owner !== undefined && !caches.has(owner)) caches.set(owner, reuse?.cacheOf(owner));
    const cache = owner === undefined ? undefined : caches.get(owner);
    const queue = isLive(strategy.priority)
      ? liveQueue(
          strategy.priority,
          view,
          liveViewOf(stateOf, cache, estimator, workload.limits, workload.promptTokens, (id, due) =>
            ledger.urgency(id, state.nowSeconds, due),
          ),
        )
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
      runs:
        strategy.kvAlloc.type === 'block-group' && strategy.preemption.type === 'swap'
          ? createBlockRuns(blocks, strategy.kvAlloc.groupBlocks)
          : undefined,
      ...(memory === undefined ? {} : { memory }),
    });
  };
  const homes: SessionHomes = new Map();
  const sessionOf = (id: number) =>
    workload.programs?.programIds[id] ?? (view.clientIds[id] as number);
  const stealing =
    strategy.router.type === 'affinity-steal'
      ? createStealing({
          part: strategy.router,
          bytesPerToken: options.kvBytesPerToken,
          estimator,
          homes,
          sessionOf,
          state: stateOf,
        })
      : undefined;
  const { fleet, former, unpulled } = makeFleet(
    options,
    makeReplica,
    view.clientIds,
    estimator,
    sessionOf,
    homes,
    stealing,
    changing === undefined
      ? undefined
      : {
          isActive: (replica) => encoding?.control?.isActive(replica) === true,
          settle: (now) => encoding?.control?.settle(now),
        },
  );
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
      preemption: preemption(
        strategy.preemption,
        order,
        requests.arrivalSeconds,
        strategy.kvAlloc.type === 'block-group' ? strategy.kvAlloc.groupBlocks : undefined,
      ),
      alloc,
      layerTokens: strategy.chunker.type === 'layer-group' ? strategy.chunker.maxTokens : undefined,
      isPartitioned: strategy.partition.type !== 'none',
      inlineSeconds: inlineEncoding(strategy.encode, workload.items),
      pauseSeconds:
        strategy.preemption.type === 'pause-at-operator'
          ? strategy.preemption.operatorMilliseconds / 1e3
          : undefined,
    },
  });
  state.firstTierLane = fleet.laneCount;
  const { hooks } = state;
  hooks.onSent = (id) => {
    ledger.onSent(id, state.nowSeconds);
    book.onSent(id, state.nowSeconds);
  };
  hooks.onCompleted = (_, id) => {
    ledger.onCompleted(id, requests.totalTokens[id] as number);
    ledger.onOver(id);
    book.onCompleted(id, state.nowSeconds);
  };
  hooks.onRefused = ledger.onOver;
  if (stealing !== undefined)
    hooks.onEntered = (replica, id) =>
      stealing.onEntered(state, replica, id, requests.processed[id] as number);
  if (
    strategy.router.type === 'least-ttft' ||
    strategy.rejection.type === 'early' ||
    changing !== undefined
  )
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
  const encoding = tieEncode(options, state, fleet.replicas, unpulled, estimator);
  const hostSwap = tieHostSwap(options, state, sends, fleet.replicas, estimator);
  const late =
    strategy.rejection.type === 'late'
      ? createLate(strategy.rejection, workload.limits, state, () => fleet.replicas)
      : undefined;
  if (late !== undefined) {
    const { onSent } = hooks;
    hooks.onSent = (id) => {
      onSent(id);
      late.onSent(id);
    };
  }
  const others = [
    pins,
    reuse?.tiers,
    stealing,
    hostSwap,
    late,
    encoding?.encoders,
    encoding?.control,
  ].filter((each) => each !== undefined);
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
  const tally: Refusals = { orphaned: 0, timedOut: 0, early: 0, late: 0 };
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
      lanes ??= [
        ...fleet.lanes(),
        ...(reuse?.tiers?.lanes() ?? []),
        ...(stealing?.lanes() ?? []),
        ...(hostSwap?.lanes() ?? []),
        ...(encoding?.encoders.lanes() ?? []),
      ];
      return lanes;
    },
    totals: () => fleet.replicas.map(({ log }) => log.totals),
    gaps: () => state.gaps.take(),
    refusals: (refused) => [
      ...neverFit(
        refused - tooLong - tally.orphaned - tally.timedOut - tally.early - tally.late,
        blocksTotal,
      ),
      ...(tally.late > 0
        ? [`${tally.late} requests waited past their limit and were given up`]
        : []),
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
    columns: () =>
      reuse === undefined && hostSwap?.keepsTurns !== true ? {} : { hitTokens: state.hitTokens },
    extras: () => ({
      ...(reuse === undefined
        ? {}
        : {
            prefixCache: { queriedTokens: state.queriedTokens, hitTokens: state.reusedTokens },
          }),
      ...(hostSwap === undefined
        ? {}
        : {
            swapping: {
              movedTokens: state.movedTokens,
              stallSeconds: state.copyStallSeconds,
            },
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
      ...(stealing !== undefined && stealing.stolen > 0
        ? [`${stealing.stolen} requests were taken over by replicas that had nothing to do`]
        : []),
      ...(encoding?.control === undefined || encoding.control.switches === 0
        ? []
        : [`${encoding.control.switches} times an accelerator changed its stage`]),
      ...(workload.items !== undefined && strategy.encode.type === 'none'
        ? ['images of the requests take no time: choose where they are encoded']
        : []),
      ...(state.swaps > 0 ? [`${state.swaps} preemptions moved KV to host memory and back`] : []),
      ...(lanes?.some(({ runIterations }) => runIterations !== undefined)
        ? ['too many iterations to keep each: a row of the timeline is a run of them']
        : []),
    ],
  };
}
