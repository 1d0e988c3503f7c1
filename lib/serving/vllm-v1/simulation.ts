import type { ServeParams, ServeStrategy } from '../../spec/kinds/serve';
import { summarizeWeighted } from '../../stats/percentiles';
import type { Workload } from '../../workload/types';
import { createGapRecorder } from '../core/gaps';
import { takeLane } from '../core/replica';
import type { Simulation, SimulationOptions } from '../core/simulation';
import { totalsOf } from '../engine/run-log';
import { plainSends, programSends } from '../general/sends';
import { serveMetrics } from '../metrics';
import type { VllmV1State } from '../policies/vllm-v1';
import { HARDWARE } from '../presets/hardware';
import { planKv, withExpertsOver } from '../presets/kv-plan';
import { MODELS } from '../presets/models';
import type { CostModel } from '../types';
import { contentTreeOf } from './content-tree';
import { createVllmV1Engine, type VllmV1Engine } from './engine';
import { createKvManager } from './kv-manager';
import { createOutcomes, type Outcomes } from './outcomes';
import type { Rank } from './rank';
import { createRankGroup } from './rank-group';
import { createWaitingQueue } from './waiting-queue';

type VllmV1Strategy = Extract<ServeStrategy, { type: 'vllm-v1' }>;

/**
 * A run of vLLM V1 replicas behind a least-outstanding-requests router. Deterministic, like every
 * simulation: the same params, workload and cost model give the same result to the bit.
 *
 * @throws Error when the model does not fit, or the workload's block hashes do not fit the blocks
 */
export function createVllmV1Simulation(
  params: ServeParams & { readonly strategy: VllmV1Strategy },
  workload: Workload,
  costModel: CostModel,
  { trace, model = MODELS[params.model] }: Pick<SimulationOptions, 'trace' | 'model'> = {},
): Simulation {
  const startedAt = performance.now();
  const { strategy } = params;
  if (params.pipelineParallel > 1)
    throw new Error(
      `invalid pipelineParallel: ${params.pipelineParallel} (strategy vllm-v1 has no stages here: take a composed strategy)`,
    );
  const isPlanned = strategy.sharedExperts !== 'none' && params.memory.kvBlocks === 0;
  const held = isPlanned ? withExpertsOver(model, strategy.replicas) : model;
  const kvPlan = planKv(held, HARDWARE[params.hardware], params);
  const { blockTokens } = kvPlan;
  const count = workload.arrivalSeconds.length;
  const { promptTokens, outputTokens, priority } = workload;
  const preemptions = new Int32Array(count);
  const gaps = createGapRecorder();
  const recorded = createOutcomes(workload, preemptions, gaps);
  // Of a program's later requests it is known once those before them have ended.
  const arrivalSeconds = recorded.columns.arrivalSeconds;
  const sends =
    workload.programs === undefined
      ? plainSends(arrivalSeconds)
      : programSends(workload.programs, arrivalSeconds);
  const outcomes: Outcomes = {
    ...recorded,
    complete(id, lane, seconds) {
      recorded.complete(id, lane, seconds);
      sends.onEnded(id, seconds);
    },
  };
  const totalTokens = promptTokens.map((prompt, i) => prompt + (outputTokens[i] as number));
  const contents = strategy.prefixCaching
    ? contentTreeOf(workload.content, count, blockTokens)
    : undefined;
  const computed = new Int32Array(count);
  const planned = new Int32Array(count);
  const emitted = new Int32Array(count);
  const admission = new Int32Array(count);
  let queriedTokens = 0;
  let hitTokens = 0;
  const states = Array.from({ length: strategy.replicas }, (): VllmV1State => {
    return {
      waiting: createWaitingQueue(strategy.order === 'priority', arrivalSeconds, priority),
      running: [],
      kv: createKvManager(kvPlan.blocks, blockTokens, contents, totalTokens),
      arrivalSeconds,
      priority,
      promptTokens,
      outputTokens,
      computed,
      planned,
      emitted,
      preemptions,
      trace,
      admission,
      admitted: 0,
      onAdmitted(id: number, queried: number, hit: number) {
        if (preemptions[id] !== 0) return;
        queriedTokens += queried;
        hitTokens += hit;
      },
    };
  });
  const times = {
    stepsInFlight: strategy.asyncScheduling ? 2 : 1,
    stepBoundarySeconds: strategy.stepBoundaryMicroseconds * 1e-6,
  } as const;
  const engines: readonly VllmV1Engine[] =
    strategy.sharedExperts === 'none'
      ? states.map((state, lane) =>
          createVllmV1Engine(lane, state, strategy, times, costModel, outcomes),
        )
      : [createRankGroup(0, states, strategy, times, costModel, outcomes)];
  const ranks: readonly Rank[] = engines.flatMap((engine) => engine.ranks);
  const frontEndSeconds = strategy.frontEndMilliseconds * 1e-3;
  const backlog = new Int32Array(count);
  let arrived = 0;
  let orphaned = 0;
  let now = 0;
  let isFinished = false;

  function iterations(): number {
    let sum = 0;
    for (let i = 0; i < ranks.length; i++) sum += (ranks[i] as Rank).iterations;
    return sum;
  }

  function refuse(id: number, why: string): void {
    const { refused } = outcomes.columns;
    const sentSeconds = arrivalSeconds[id] as number;
    refused[id] = 1;
    if (trace?.id === id) trace.refused(sentSeconds, why);
    for (const each of sends.descendants(id)) {
      if (refused[each] === 1) continue;
      orphaned++;
      refused[each] = 1;
      arrivalSeconds[each] = sentSeconds;
      if (trace?.id === each)
        trace.refused(sentSeconds, `comes of request ${id}, which was refused,`);
    }
  }

  function arrive(): void {
    while (sends.nextSeconds() + frontEndSeconds <= now) {
      const id = sends.take();
      let waiting = 0;
      for (let i = 0; i < ranks.length; i++) waiting += (ranks[i] as Rank).waiting;
      backlog[arrived++] = waiting;
      // The last token is emitted and never fed, so it needs no KV.
      const fed = (totalTokens[id] as number) - 1;
      // After a preemption all of it would have to be computed in one step.
      const limit = strategy.longPrefillTokens > 0 ? strategy.longPrefillTokens : fed;
      const isTooLong =
        !strategy.chunkedPrefill && Math.min(fed, limit) > strategy.maxBatchedTokens;
      if (Math.ceil(fed / blockTokens) > kvPlan.blocks || isTooLong) {
        const blocks = Math.ceil(fed / blockTokens);
        refuse(
          id,
          isTooLong
            ? `has ${fed} tokens above the ${strategy.maxBatchedTokens} of one step, without chunked prefill,`
            : `needs ${blocks} KV blocks, of ${kvPlan.blocks} in all,`,
        );
        continue;
      }
      let best = ranks[0] as Rank;
      for (let i = 1; i < ranks.length; i++) {
        const rank = ranks[i] as Rank;
        if (rank.outstanding < best.outstanding) best = rank;
      }
      if (trace?.id === id) {
        trace.arrived(arrivalSeconds[id] as number);
        trace.enter(arrivalSeconds[id] as number, -1, { kind: 'front-end' });
        trace.nowSeconds = now;
      }
      best.enqueue(id);
    }
  }

  function advance(maxIterations: number): boolean {
    const target = iterations() + maxIterations;
    while (!isFinished && iterations() < target) {
      let next = sends.nextSeconds() + frontEndSeconds;
      for (let i = 0; i < engines.length; i++) {
        const end = (engines[i] as VllmV1Engine).endSeconds;
        if (end < next) next = end;
      }
      if (next > params.horizonSeconds) {
        isFinished = true;
        break;
      }
      now = next;
      arrive();
      for (let i = 0; i < engines.length; i++) {
        const engine = engines[i] as VllmV1Engine;
        if (engine.endSeconds <= now) engine.endStep();
        engine.wake(now);
      }
    }
    return !isFinished;
  }

  return {
    advance,
    progress: () => ({
      fraction: count === 0 ? 1 : Math.min(1, arrived / count),
      simulatedSeconds: now,
      iterations: iterations(),
    }),
    result() {
      for (const engine of engines) engine.settle();
      const lanes = ranks.map(({ log }, i) =>
        takeLane(log, `replica-${i}`, `vLLM V1 replica ${i}`, 'mixed', kvPlan.blocks),
      );
      const tbt = gaps.take();
      const refused = outcomes.columns.refused.reduce((a, b) => a + b, 0);
      const extrapolated = costModel.extrapolation?.();
      const notes = [...workload.notes];
      if (orphaned > 0)
        notes.push(`${orphaned} requests were never sent, since one that they come of was refused`);
      if (refused > orphaned) {
        notes.push(
          `${refused - orphaned} requests can never fit in ${kvPlan.blocks} KV blocks${strategy.chunkedPrefill ? '' : ` or in one step of ${strategy.maxBatchedTokens} tokens`} and were refused on arrival`,
        );
      }
      if (extrapolated !== undefined) notes.push(`iteration times were ${extrapolated}`);
      if (strategy.prefixCaching) {
        notes.push(
          workload.content === undefined
            ? 'the workload has no token ids: no prefix is shared between requests'
            : `${((100 * hitTokens) / Math.max(1, queriedTokens)).toFixed(1)} % of prompt tokens were found in the prefix cache`,
        );
      }
      return {
        metrics: serveMetrics({
          params,
          requests: outcomes.columns,
          workload,
          laneTotals: lanes.map(totalsOf),
          kvBlocksOf: () => kvPlan.blocks,
          tbtSeconds: summarizeWeighted(tbt),
          backlog,
          arrived,
          iterations: iterations(),
        }),
        lanes,
        requests: {
          ...outcomes.columns,
          ...(workload.programs === undefined
            ? {}
            : { programIds: workload.programs.programIds.slice() }),
        },
        tbt,
        costModel: {
          kind: costModel.kind,
          label:
            extrapolated === undefined ? costModel.label : `${costModel.label}, ${extrapolated}`,
          source: costModel.source,
          ...(extrapolated === undefined ? {} : { extrapolated }),
        },
        ...(strategy.prefixCaching ? { prefixCache: { queriedTokens, hitTokens } } : {}),
        kvPlan,
        accelerators: strategy.replicas * params.tensorParallel,
        notes,
        wallSeconds: (performance.now() - startedAt) / 1000,
      };
    },
  };
}
