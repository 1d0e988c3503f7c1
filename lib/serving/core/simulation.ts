import type { ServeParams, ServeStrategy } from '../../spec/kinds/serve';
import { summarizeWeighted } from '../../stats/percentiles';
import type { Workload } from '../../workload/types';
import { toComposed } from '../compose/to-composed';
import { withEnergy } from '../energy';
import { composedMachine, type Machine, neverFit } from '../engine/machine';
import {
  joinKvPlans,
  type RolePlan,
  type RolePlans,
  rolePlans,
  withFreePrefill,
} from '../engine/roles';
import { totalsOf } from '../engine/run-log';
import { generalMachine } from '../general/machine';
import { needsGeneral } from '../general/needs-general';
import type { Audited } from '../general/state';
import { computes } from '../lane-roles';
import { serveMetrics } from '../metrics';
import { outcomeNotes } from '../outcome-notes';
import { prefillPoolFormer } from '../policies/prefill-pool';
import { sarathiFormer } from '../policies/sarathi';
import { vllmFormer } from '../policies/vllm';
import { acceleratorCount } from '../presets/degrees';
import { type KvPlan, kvBytesPerToken } from '../presets/kv-plan';
import { MODELS } from '../presets/models';
import type { RequestTracer } from '../trace/tracer';
import type { CostModel, ModelSpec, ServeResult } from '../types';
import { createVllmV1Simulation } from '../vllm-v1/simulation';
import { createColocated } from './colocated';
import { createDisaggregated } from './disaggregated';
import { createEngine } from './engine';
import { createEventLoop } from './event-loop';
import { createGapRecorder } from './gaps';
import { createLink } from './link';
import { createReplica, type Replica } from './replica';
import { createRequests, type Requests } from './requests';
import type { Topology } from './topology';

export interface SimulationOptions {
  /** Follow Vidur to the letter where it departs from a real engine: no refusals, restarts in mid-prefill, blocked heads. */
  readonly parity?: boolean;
  /** Every iteration on its own, by the stepping engine: slow, and what the fast one is held against. */
  readonly isStepped?: boolean;
  /** Composed strategies on the engine that has every part, whether or not they need it. */
  readonly isGeneral?: boolean;
  /** Called by that engine after every iteration is formed: for tests. */
  readonly audit?: (audited: Audited) => void;
  /** Pools whose prefill takes neither time nor memory: what link and decode pool alone could do. */
  readonly isPrefillFree?: boolean;
  /** In place of the model that the params name: what a question with other sizes asks. */
  readonly model?: ModelSpec;
  /** Told what becomes of one request, by the engines that know reasons. */
  readonly trace?: RequestTracer;
}

export interface Simulation {
  /** Runs about `maxIterations` more iterations; false when the run is over. */
  advance(maxIterations: number): boolean;
  progress(): {
    readonly fraction: number;
    readonly simulatedSeconds: number;
    readonly iterations: number;
  };
  /** Everything so far; call it when `advance` has returned false. */
  result(): ServeResult;
}

/** Strategies that the stepping engine knows. */
type SteppedStrategy = Exclude<ServeStrategy, { readonly type: 'composed' | 'vllm-v1' }>;

function makeTopology(
  params: ServeParams & { readonly strategy: SteppedStrategy },
  requests: Requests,
  makeReplica: (index: number, role: Replica['role']) => Replica,
  parity: boolean,
  kvBytes: number,
): Topology {
  const { strategy } = params;
  if (strategy.type === 'distserve') {
    const { prefillReplicas, decodeReplicas } = strategy;
    return createDisaggregated(requests, {
      prefill: Array.from({ length: prefillReplicas }, (_, i) => makeReplica(i, 'prefill')),
      decode: Array.from({ length: decodeReplicas }, (_, i) =>
        makeReplica(prefillReplicas + i, 'decode'),
      ),
      links: Array.from({ length: decodeReplicas }, () =>
        createLink(
          kvBytes,
          strategy.linkGigabytesPerSecond * 1e9,
          strategy.linkLatencyMicroseconds * 1e-6,
        ),
      ),
      prefillFormer: prefillPoolFormer(strategy),
      maxDecodeSequences: strategy.maxDecodeSequences,
      pullThreshold: strategy.pullThreshold,
    });
  }
  const replicas = Array.from({ length: strategy.replicas }, (_, i) => makeReplica(i, 'mixed'));
  const former = () =>
    strategy.type === 'vllm' ? vllmFormer({ ...strategy, parity }) : sarathiFormer(strategy);
  const name = strategy.type === 'vllm' ? 'vLLM' : 'Sarathi';
  return createColocated(replicas, replicas.map(former), name);
}

/**
 * A serving run: requests in, per-request outcomes and per-iteration timeline out. Deterministic:
 * the same params, workload and cost model give the same result to the bit.
 *
 * @throws Error when the model does not fit in memory
 */
export function createSimulation(
  params: ServeParams,
  workload: Workload,
  costModel: CostModel,
  options: SimulationOptions = {},
): Simulation {
  const made = makeSimulation(params, workload, costModel, options);
  return {
    ...made,
    result() {
      const result = made.result();
      const notes = [...result.notes, ...outcomeNotes(params, result)];
      return withEnergy(params, { ...result, notes });
    },
  };
}

function makeSimulation(
  params: ServeParams,
  workload: Workload,
  costModel: CostModel,
  options: SimulationOptions,
): Simulation {
  const { strategy } = params;
  if (strategy.type === 'vllm-v1')
    return createVllmV1Simulation({ ...params, strategy }, workload, costModel, options);
  const startedAt = performance.now();
  const planned = rolePlans(params, costModel, options.model);
  const roles = options.isPrefillFree === true ? withFreePrefill(planned) : planned;
  const kvPlan = joinKvPlans(roles);
  const requests = createRequests(workload);
  const machine = makeMachine(params, workload, requests, roles, options);
  const { loop } = machine;
  const totalTokens = workload.outputTokens.reduce((a, b) => a + b, 0);

  return {
    advance: (maxIterations) => loop.advance(maxIterations),
    progress: () => ({
      fraction: totalTokens === 0 ? 1 : Math.min(1, loop.arrived / Math.max(1, requests.count)),
      simulatedSeconds: loop.nowSeconds,
      iterations: machine.iterations(),
    }),
    result() {
      const lanes = machine.lanes();
      const computing = lanes.filter(computes);
      const gaps = machine.gaps();
      const refused = requests.refused.reduce((a, b) => a + b, 0);
      return {
        metrics: serveMetrics({
          params,
          requests,
          workload,
          laneTotals: machine.totals(lanes),
          kvBlocksOf: (lane) => computing[lane]?.kvBlocksTotal ?? kvPlan.blocks,
          tbtSeconds: gaps.summary,
          backlog: loop.backlog,
          arrived: loop.arrived,
          iterations: machine.iterations(),
        }),
        lanes,
        requests: {
          arrivalSeconds: requests.arrivalSeconds.slice(),
          promptTokens: workload.promptTokens.slice(),
          outputTokens: workload.outputTokens.slice(),
          firstScheduledSeconds: requests.firstScheduledSeconds,
          firstTokenSeconds: requests.firstTokenSeconds,
          completedSeconds: requests.completedSeconds,
          maxStallSeconds: requests.maxStallSeconds,
          restarts: requests.restarts,
          prefillLane: requests.prefillLane,
          decodeLane: requests.decodeLane,
          refused: requests.refused,
          ...(workload.programs === undefined
            ? {}
            : { programIds: workload.programs.programIds.slice() }),
          ...machine.columns?.(),
        },
        ...machine.extras?.(),
        tbt: gaps.samples,
        costModel: { kind: costModel.kind, label: costModel.label, source: costModel.source },
        kvPlan,
        accelerators: acceleratorCount(params),
        notes: [...workload.notes, ...machine.refusals(refused), ...machine.notes()],
        wallSeconds: (performance.now() - startedAt) / 1000,
      };
    },
  };
}

function makeMachine(
  params: ServeParams,
  workload: Workload,
  requests: Requests,
  roles: RolePlans,
  {
    parity = false,
    isStepped = false,
    isGeneral = false,
    audit,
    trace,
    model = MODELS[params.model],
  }: SimulationOptions,
): Machine {
  const { strategy, horizonSeconds } = params;
  const composed = toComposed(strategy);
  if (composed !== undefined && !(isStepped && strategy.type !== 'composed')) {
    const machineOptions = {
      strategy: composed,
      workload,
      requests,
      roles,
      watermark: params.memory.watermark,
      kvBytesPerToken: kvBytesPerToken(model),
      layers: model.layers,
      horizonSeconds,
      parity,
      trace,
    };
    return isGeneral || needsGeneral(composed, workload)
      ? generalMachine(machineOptions, audit)
      : composedMachine(machineOptions);
  }
  if (workload.programs !== undefined)
    throw new Error('the stepping engine cannot send the requests of programs');
  if (strategy.type === 'composed' || strategy.type === 'vllm-v1')
    throw new Error('the stepping engine has no composed strategies and no vLLM V1');
  const [first, second] = 'mixed' in roles ? [roles.mixed] : [roles.prefill, roles.decode];
  if (first.pipeline !== undefined || (second !== undefined && !isAlike(first, second)))
    throw new Error('the stepping engine has neither pipelines nor pools of unlike replicas');
  const kvBytes = kvBytesPerToken(model);
  const { costModel, kvPlan } = first;
  return steppedMachine({ ...params, strategy }, requests, costModel, kvPlan, parity, kvBytes);
}

function isAlike({ degrees: a }: RolePlan, { degrees: b }: RolePlan): boolean {
  return a.tensor === b.tensor && a.pipeline === b.pipeline;
}

function steppedMachine(
  params: ServeParams & { readonly strategy: SteppedStrategy },
  requests: Requests,
  costModel: CostModel,
  kvPlan: KvPlan,
  parity: boolean,
  kvBytes: number,
): Machine {
  const watermark = Math.floor(params.memory.watermark * kvPlan.blocks);
  const gaps = createGapRecorder();
  const makeReplica = (index: number, role: Replica['role']) =>
    createReplica(index, role, kvPlan.blocks, kvPlan.blockTokens, watermark);
  const topology = makeTopology(params, requests, makeReplica, parity, kvBytes);
  const engine = createEngine(requests, costModel, gaps, topology.hooks, parity);

  const refuse = (id: number): string | undefined => {
    // The last token is emitted and never fed, so it needs no KV.
    const blocks = Math.ceil(((requests.totalTokens[id] as number) - 1) / kvPlan.blockTokens);
    // A decode demands a free block even when it needs none, so one must stay free beside the request.
    const isTooLarge = blocks + Math.max(watermark, 1) > kvPlan.blocks;
    return !parity && isTooLarge ? `needs ${blocks} KV blocks` : undefined;
  };
  return {
    loop: createEventLoop(requests, topology, engine, params.horizonSeconds, refuse),
    iterations: () => engine.iterations,
    lanes: () => topology.lanes(),
    totals: (lanes) => lanes.filter(computes).map(totalsOf),
    gaps: () => {
      const samples = gaps.take();
      return { samples, summary: summarizeWeighted(samples), isExact: true };
    },
    refusals: (refused) => neverFit(refused, kvPlan.blocks),
    notes: () => [],
  };
}

/** `createSimulation` run to the end. */
export function simulate(
  params: ServeParams,
  workload: Workload,
  costModel: CostModel,
  options: SimulationOptions = {},
): ServeResult {
  const simulation = createSimulation(params, workload, costModel, options);
  while (simulation.advance(1_000_000));
  return simulation.result();
}
