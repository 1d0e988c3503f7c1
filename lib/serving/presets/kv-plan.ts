import type { ServeParams } from '../../spec/kinds/serve';
import { BYTES_PER_GIB } from '../../units/units';
import type { HardwareSpec, ModelSpec } from '../types';

/** Weights of the whole model: attention, feed-forward, embedding and untied output head, no norms. */
export function weightBytes(model: Omit<ModelSpec, 'id'>): number {
  const attention = model.hiddenSize * model.headSize * 2 * (model.queryHeads + model.kvHeads);
  const ffn = model.ffnMatrices * model.hiddenSize * model.ffnSize;
  const embeddings = 2 * model.vocabularySize * model.hiddenSize;
  return (model.layers * (attention + ffn) + embeddings) * model.bytesPerWeight;
}

/** KV bytes of one token over all layers and heads: 2 x layers x kvHeads x headSize x bytes. */
export function kvBytesPerToken(model: Omit<ModelSpec, 'id'>): number {
  return 2 * model.layers * model.kvHeads * model.headSize * model.bytesPerKvElement;
}

export interface KvPlan {
  readonly blocks: number;
  readonly blockTokens: number;
  readonly label: string;
}

const gib = (bytes: number): string => `${(bytes / BYTES_PER_GIB).toFixed(1)} GiB`;

/** How one replica is spread over accelerators. */
export interface ParallelDegrees {
  readonly tensor: number;
  /** Stages, each with a share of the layers. */
  readonly pipeline: number;
}

/** The largest stage's share of the layers: 1 without stages, ceil(layers / stages) / layers with them. */
export function stageShare(layers: number, stages: number): number {
  return Math.ceil(layers / stages) / layers;
}

/**
 * KV blocks of one replica: what utilisation leaves beside the weights, over all its accelerators.
 * KV heads that do not divide by the tensor-parallel degree are replicated, as engines do. Of
 * pipeline stages the largest counts, with embeddings and output head taken as spread evenly.
 *
 * @param degrees the cell's unless given
 * @throws Error when the weights do not fit
 */
export function planKv(
  model: ModelSpec,
  hardware: HardwareSpec,
  params: Pick<ServeParams, 'memory' | 'tensorParallel' | 'pipelineParallel'>,
  degrees: ParallelDegrees = { tensor: params.tensorParallel, pipeline: params.pipelineParallel },
): KvPlan {
  const { memory } = params;
  const { blockTokens } = memory;
  const { tensor, pipeline } = degrees;
  if (pipeline > model.layers)
    throw new Error(
      `invalid pipelineParallel: ${pipeline} (${model.label} has ${model.layers} layers)`,
    );
  if (memory.kvBlocks > 0) {
    return { blocks: memory.kvBlocks, blockTokens, label: `${memory.kvBlocks} KV blocks as given` };
  }
  const parts = tensor / stageShare(model.layers, pipeline);
  const perAccelerator = hardware.memoryBytes * memory.utilization;
  const weights = weightBytes(model) / parts;
  if (weights >= perAccelerator) {
    throw new Error(
      `${model.label} does not fit: weights need ${gib(weights)} per accelerator, above ${gib(perAccelerator)} (${gib(hardware.memoryBytes)} x ${memory.utilization}) on ${tensor * pipeline} x ${hardware.label}`,
    );
  }
  const replication = Math.max(1, tensor / model.kvHeads);
  const bytesPerBlock = (kvBytesPerToken(model) * replication * blockTokens) / parts;
  const blocks = Math.floor((perAccelerator - weights) / bytesPerBlock);
  if (blocks < 1)
    throw new Error(`no room for a KV block of ${gib(bytesPerBlock)} beside the weights`);
  return {
    blocks,
    blockTokens,
    label: `${blocks} KV blocks of ${blockTokens} tokens: ${gib(perAccelerator - weights)} beside ${gib(weights)} of weights per accelerator`,
  };
}
