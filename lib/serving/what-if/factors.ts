import type { ServeParams } from '../../spec/kinds/serve';
import type { Workload } from '../../workload/types';
import { MODELS } from '../presets/models';
import type { ModelSpec } from '../types';

/** What a run is asked again with: each multiplies what the cell has, 1 leaves it. */
export interface WhatIfFactors {
  readonly rate: number;
  readonly promptTokens: number;
  readonly kvBytesPerToken: number;
  readonly linkBandwidth: number;
}
export type WhatIfName = keyof WhatIfFactors;
export const WHAT_IF_NAMES: readonly WhatIfName[] = [
  'rate',
  'promptTokens',
  'kvBytesPerToken',
  'linkBandwidth',
];
export const NO_CHANGE: WhatIfFactors = {
  rate: 1,
  promptTokens: 1,
  kvBytesPerToken: 1,
  linkBandwidth: 1,
};

/** Whether a strategy has a link between replicas, whose bandwidth can be changed. */
export function hasLink({ strategy }: ServeParams): boolean {
  return (
    strategy.type === 'distserve' ||
    (strategy.type === 'composed' && strategy.topology.type === 'pools')
  );
}

/** A cell's params, load and model under the factors. The document's bounds do not hold for these. */
export function applyFactors(
  params: ServeParams,
  workload: Workload,
  factors: WhatIfFactors,
): { readonly params: ServeParams; readonly workload: Workload; readonly model: ModelSpec } {
  for (const name of WHAT_IF_NAMES) {
    const factor = factors[name];
    if (!(factor > 0) || factor === Infinity)
      throw new RangeError(`invalid ${name}: ${factor} (expected above 0)`);
  }
  const model = MODELS[params.model];
  return {
    params: withMemory(withLink(params, factors.linkBandwidth), factors.kvBytesPerToken),
    workload: withLoad(workload, factors),
    model: {
      ...model,
      bytesPerKvElement: model.bytesPerKvElement * factors.kvBytesPerToken,
    },
  };
}

function withLink(params: ServeParams, factor: number): ServeParams {
  const { strategy } = params;
  if (strategy.type === 'distserve') {
    const linkGigabytesPerSecond = strategy.linkGigabytesPerSecond * factor;
    return { ...params, strategy: { ...strategy, linkGigabytesPerSecond } };
  }
  if (strategy.type !== 'composed' || strategy.topology.type !== 'pools') return params;
  const { topology } = strategy;
  const linkGigabytesPerSecond = topology.linkGigabytesPerSecond * factor;
  return {
    ...params,
    strategy: { ...strategy, topology: { ...topology, linkGigabytesPerSecond } },
  };
}

/** Blocks that are given as a count hold more, or fewer, of a smaller, or larger, KV. */
function withMemory(params: ServeParams, factor: number): ServeParams {
  const { memory } = params;
  if (memory.kvBlocks === 0) return params;
  const kvBlocks = Math.max(1, Math.floor(memory.kvBlocks / factor));
  return { ...params, memory: { ...memory, kvBlocks } };
}

/** Arrivals closer together, prompts longer; what prompts share is lost where their length changes. */
function withLoad(workload: Workload, { rate, promptTokens }: WhatIfFactors): Workload {
  const { content, ...rest } = workload;
  return {
    ...rest,
    ...(content === undefined || promptTokens !== 1 ? {} : { content }),
    arrivalSeconds:
      rate === 1
        ? workload.arrivalSeconds
        : workload.arrivalSeconds.map((seconds) => seconds / rate),
    promptTokens:
      promptTokens === 1
        ? workload.promptTokens
        : workload.promptTokens.map((tokens) => Math.max(1, Math.round(tokens * promptTokens))),
  };
}
