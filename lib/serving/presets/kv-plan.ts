import type { ServeParams } from '../../spec/kinds/serve';
import { BYTES_PER_GIB } from '../../units/units';
import { kvShare } from '../transforms/budgets';
import { transformOf } from '../transforms/presets';
import type { HardwareSpec, ModelSpec } from '../types';

/** Bytes of the matrices in the layers, those of every expert and of the router included. */
export function layerWeightBytes(model: Omit<ModelSpec, 'id'>): number {
  const { hiddenSize, experts } = model;
  const attention = hiddenSize * model.headSize * 2 * (model.queryHeads + model.kvHeads);
  const widths =
    experts === undefined
      ? model.ffnSize
      : experts.count * model.ffnSize + (experts.sharedFfnSize ?? 0);
  const ffn = model.ffnMatrices * hiddenSize * widths;
  const router = hiddenSize * (experts?.count ?? 0);
  return model.layers * (attention + ffn + router) * model.bytesPerWeight;
}

/**
 * The model whose weights are what one of `ranks` holds where they share the experts of every layer.
 * @throws Error for a model without experts
 */
export function withExpertsOver<M extends Omit<ModelSpec, 'id'>>(model: M, ranks: number): M {
  const { experts } = model;
  if (experts === undefined)
    throw new Error(`invalid sharedExperts: ${model.label} has no experts (expected none)`);
  return { ...model, experts: { ...experts, count: experts.count / ranks } };
}

/** Weights of the whole model: its layers, embedding and untied output head, no norms. */
export function weightBytes(model: Omit<ModelSpec, 'id'>): number {
  const embeddings = 2 * model.vocabularySize * model.hiddenSize;
  return layerWeightBytes(model) + embeddings * model.bytesPerWeight;
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

/** Engines give every accelerator as many query heads, and as many KV heads or copies of one. */
function sharesHeads({ queryHeads, kvHeads }: ModelSpec, tensor: number): boolean {
  const [more, less] = kvHeads >= tensor ? [kvHeads, tensor] : [tensor, kvHeads];
  return queryHeads % tensor === 0 && more % less === 0;
}

function unevenHeads(model: ModelSpec, tensor: number): string {
  const degrees = Array.from({ length: 16 }, (_, i) => i + 1).filter((each) =>
    sharesHeads(model, each),
  );
  return `invalid tensorParallel: ${tensor} (${model.label} has ${model.queryHeads} query heads and ${model.kvHeads} KV heads, which so many accelerators cannot share evenly: expected ${degrees.join(', ')})`;
}

/**
 * KV blocks of one replica: what utilisation leaves beside the weights, over all its accelerators.
 * A transform changes both: W of the layers' weights (embeddings stay), less those that are streamed,
 * and M of the KV of a token.
 * KV heads that do not divide by the tensor-parallel degree are replicated, as engines do. Of
 * pipeline stages the largest counts, with embeddings and output head taken as spread evenly.
 *
 * @param degrees the cell's unless given
 * @param besideBytes of each accelerator, taken by something else: an encoder of images
 * @throws Error when the weights do not fit, or heads cannot be shared out
 */
export function planKv(
  model: ModelSpec,
  hardware: HardwareSpec,
  params: Pick<ServeParams, 'memory' | 'tensorParallel' | 'pipelineParallel' | 'transform'>,
  degrees: ParallelDegrees = { tensor: params.tensorParallel, pipeline: params.pipelineParallel },
  besideBytes = 0,
): KvPlan {
  const { memory } = params;
  const { blockTokens } = memory;
  const { tensor, pipeline } = degrees;
  if (pipeline > model.layers)
    throw new Error(
      `invalid pipelineParallel: ${pipeline} (${model.label} has ${model.layers} layers)`,
    );
  if (!sharesHeads(model, tensor)) throw new Error(unevenHeads(model, tensor));
  if (memory.kvBlocks > 0) {
    return { blocks: memory.kvBlocks, blockTokens, label: `${memory.kvBlocks} KV blocks as given` };
  }
  const parts = tensor / stageShare(model.layers, pipeline);
  const perAccelerator = hardware.memoryBytes * memory.utilization - besideBytes;
  const transform = transformOf(params.transform);
  const stays = (transform?.weightBytes ?? 1) * (1 - (transform?.streamedWeights ?? 0));
  const saved = (1 - stays) * layerWeightBytes(model);
  const weights = (weightBytes(model) - saved) / parts;
  if (weights >= perAccelerator) {
    throw new Error(
      `${model.label} does not fit: weights need ${gib(weights)} per accelerator, above ${gib(perAccelerator)} (${gib(hardware.memoryBytes)} x ${memory.utilization}) on ${tensor * pipeline} x ${hardware.label}`,
    );
  }
  const replication = Math.max(1, tensor / model.kvHeads);
  const kvBytes = kvBytesPerToken(model) * (transform === undefined ? 1 : kvShare(transform));
  const bytesPerBlock = (kvBytes * replication * blockTokens) / parts;
  const blocks = Math.floor((perAccelerator - weights) / bytesPerBlock);
  if (blocks < 1)
    throw new Error(`no room for a KV block of ${gib(bytesPerBlock)} beside the weights`);
  return {
    blocks,
    blockTokens,
    label: `${blocks} KV blocks of ${blockTokens} tokens: ${gib(perAccelerator - weights)} beside ${gib(weights)} of weights per accelerator${transform === undefined ? '' : `, ${transform.label}`}`,
  };
}
