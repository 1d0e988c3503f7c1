import type { ServeParams } from '../spec/kinds/serve';
import { emptyFeatures } from './core/features';
import { type IterationParts, rooflineCostModel } from './cost/roofline';
import { computes } from './lane-roles';
import { replicaGroups } from './presets/degrees';
import { HARDWARE } from './presets/hardware';
import { MODELS } from './presets/models';
import { sharedWork } from './shared-work';
import { transformOf } from './transforms/presets';
import { expectedTokens } from './transforms/speculation';
import type { HardwareSpec, ServeMetrics, ServeResult } from './types';

/**
 * Joules of accelerators: idle power all the time, and the rest of the board power for as long as
 * arithmetic and memory are busy at the peaks of the data sheet, one after the other. So a FLOP and a
 * byte each have a price, and an iteration that stalls costs little more than idling.
 */
export function runJoules(
  { seconds, busySeconds }: { readonly seconds: number; readonly busySeconds: number },
  { boardWatts }: Pick<HardwareSpec, 'boardWatts'>,
  idleShare: number,
): number {
  return boardWatts * (idleShare * seconds + (1 - idleShare) * busySeconds);
}

type EnergyMetrics = Pick<ServeMetrics, 'energyJoules' | 'joulesPerToken' | 'costPerMillionTokens'>;

/**
 * Energy and cost of a run, from its timeline: every iteration's matrix products by its tokens, and
 * attention at the run's mean context, so that the total of attention is right where nothing was
 * computed twice or taken from a prefix cache. No iteration is busy for longer than it lasts, and idle
 * replicas draw idle power until the last completion.
 */
export function energyMetrics(
  params: ServeParams,
  result: Pick<ServeResult, 'lanes' | 'requests' | 'metrics' | 'accelerators'>,
): EnergyMetrics {
  const { metrics, requests, lanes, accelerators } = result;
  const hardware = HARDWARE[params.hardware];
  const { energy, speculation } = params;
  const groups = replicaGroups(params);
  const modelOf = (tensorParallel: number) =>
    rooflineCostModel(MODELS[params.model], hardware, {
      tensorParallel,
      computeEfficiency: 1,
      bandwidthEfficiency: 1,
      overheadMicroseconds: 0,
      transform: transformOf(params.transform),
    });
  let promptTokens = 0;
  let pairs = 0;
  let decodes = 0;
  let context = 0;
  let outputTokens = 0;
  for (let i = 0; i < requests.completedSeconds.length; i++) {
    if (Number.isNaN(requests.completedSeconds[i])) continue;
    const prompt = requests.promptTokens[i] as number;
    const fed = (requests.outputTokens[i] as number) - 1;
    promptTokens += prompt;
    pairs += prompt ** 2 / 2;
    decodes += fed;
    context += fed * (prompt + (fed + 1) / 2);
    outputTokens += fed + 1;
  }
  const meanContext = decodes > 0 ? context / decodes : 0;
  const meanPairs = promptTokens > 0 ? pairs / promptTokens : 0;
  const isDrafted = speculation.type === 'draft';
  const perStep = isDrafted ? expectedTokens(speculation) : 1;

  const features = emptyFeatures();
  if (isDrafted) features.queriesPerDecode = speculation.draftTokens + 1;
  type Roofline = ReturnType<typeof modelOf>;
  const partsOf = (
    model: Roofline,
    decode: number,
    prompts: number,
    promptTokens: number,
  ): IterationParts => {
    features.decodeCount = decode;
    features.decodeContextTokens = decode * meanContext;
    features.prefillCount = prompts;
    features.prefillTokens = promptTokens;
    features.prefillAttentionPairs = promptTokens * meanPairs;
    return model.parts(features);
  };
  /** By accelerators of a replica. Batches of decodes alone, which most iterations are, differ by their size only. */
  const models = new Map<
    number,
    { readonly model: Roofline; readonly ofDecodes: IterationParts[] }
  >();
  const worked = lanes.filter(computes).map((lane) => {
    // Two phases of one accelerator are lanes of one group.
    const { tensor } = (groups.find(({ role }) => role === lane.role) ?? groups[0])?.degrees ?? {
      tensor: params.tensorParallel,
    };
    const known = models.get(tensor) ?? { model: modelOf(tensor), ofDecodes: [] };
    models.set(tensor, known);
    const { model, ofDecodes } = known;
    const busySeconds = lane.durationSeconds.map((seconds, i) => {
      const iterations = lane.runIterations?.[i] ?? 1;
      const prompt = lane.prefillTokens[i] as number;
      const decode = lane.decodeTokens[i] as number;
      let parts = prompt === 0 ? ofDecodes[decode] : undefined;
      if (parts === undefined) {
        parts = partsOf(model, decode, (lane.batchSize[i] as number) - decode, prompt);
        if (prompt === 0) ofDecodes[decode] = parts;
      }
      // A step of speculation stands for as many iterations as it gives tokens; prompts go through once.
      const share = prompt > 0 ? 1 : iterations / perStep;
      return Math.min(seconds, (parts.arithmeticSeconds + parts.memorySeconds) * share);
    });
    return { lane, tensor, busySeconds };
  });
  let workSeconds = 0;
  for (const each of worked) {
    const { lane, tensor, busySeconds } = each;
    if (lane.memoryOf !== undefined) continue;
    const other = worked.find(({ lane: { memoryOf } }) => memoryOf === lane.id);
    workSeconds +=
      tensor *
      (other === undefined ? busySeconds.reduce((a, b) => a + b, 0) : sharedWork(each, other));
  }
  const energyJoules = runJoules(
    { seconds: metrics.makespanSeconds * accelerators, busySeconds: workSeconds },
    hardware,
    energy.idleShare,
  );
  const hours = (metrics.makespanSeconds * accelerators) / 3600;
  return {
    energyJoules,
    ...(outputTokens > 0 ? { joulesPerToken: energyJoules / outputTokens } : {}),
    ...(energy.pricePerAcceleratorHour > 0 && outputTokens > 0
      ? { costPerMillionTokens: (energy.pricePerAcceleratorHour * hours * 1e6) / outputTokens }
      : {}),
  };
}

/** A result with the figures of energy and cost among its metrics. */
export function withEnergy(params: ServeParams, result: ServeResult): ServeResult {
  return { ...result, metrics: { ...result.metrics, ...energyMetrics(params, result) } };
}
