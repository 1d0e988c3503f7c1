import type { LayerWeights, TransformerConfig, TransformerWeights } from '../types';

type LayerField = keyof LayerWeights;

/** One tensor that a model of a configuration has, under the name that Hugging Face's files give it. */
export interface NeededTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

interface LayerTensor {
  readonly field: LayerField;
  readonly suffix: string;
  readonly shape: readonly number[];
}

const EMBEDDING = 'model.embed_tokens.weight';
const FINAL_NORM = 'model.norm.weight';
const HEAD = 'lm_head.weight';

function layerTensors(config: TransformerConfig): readonly LayerTensor[] {
  const { hiddenSize, intermediateSize, headSize } = config;
  const queryWidth = config.heads * headSize;
  const kvWidth = config.kvHeads * headSize;
  const of = (field: LayerField, suffix: string, ...shape: number[]) => ({ field, suffix, shape });
  return [
    of('attentionNorm', 'input_layernorm.weight', hiddenSize),
    of('q', 'self_attn.q_proj.weight', queryWidth, hiddenSize),
    of('k', 'self_attn.k_proj.weight', kvWidth, hiddenSize),
    of('v', 'self_attn.v_proj.weight', kvWidth, hiddenSize),
    of('o', 'self_attn.o_proj.weight', hiddenSize, queryWidth),
    ...(config.qkvBias
      ? [
          of('qBias', 'self_attn.q_proj.bias', queryWidth),
          of('kBias', 'self_attn.k_proj.bias', kvWidth),
          of('vBias', 'self_attn.v_proj.bias', kvWidth),
        ]
      : []),
    ...(config.qkNorm
      ? [
          of('qNorm', 'self_attn.q_norm.weight', headSize),
          of('kNorm', 'self_attn.k_norm.weight', headSize),
        ]
      : []),
    of('mlpNorm', 'post_attention_layernorm.weight', hiddenSize),
    of('gate', 'mlp.gate_proj.weight', intermediateSize, hiddenSize),
    of('up', 'mlp.up_proj.weight', intermediateSize, hiddenSize),
    of('down', 'mlp.down_proj.weight', hiddenSize, intermediateSize),
  ];
}

const layerName = (layer: number, suffix: string) => `model.layers.${layer}.${suffix}`;

/** Every tensor of a model: matrices are [outputs, inputs]. */
export function neededTensors(config: TransformerConfig): readonly NeededTensor[] {
  const { hiddenSize, layers, tiedHead, vocabularySize } = config;
  const ofLayer = layerTensors(config);
  const table = [vocabularySize, hiddenSize];
  return [
    { name: EMBEDDING, shape: table },
    ...Array.from({ length: layers }, (_, layer) =>
      ofLayer.map(({ suffix, shape }) => ({ name: layerName(layer, suffix), shape })),
    ).flat(),
    { name: FINAL_NORM, shape: [hiddenSize] },
    ...(tiedHead ? [] : [{ name: HEAD, shape: table }]),
  ];
}

/**
 * Tensors that files hold beside the model's own and that carry nothing: a tied head written out,
 * and the rotary frequencies of older files, which the configuration gives.
 */
export function isSpareTensor(name: string, config: TransformerConfig): boolean {
  return (config.tiedHead && name === HEAD) || name.endsWith('.rotary_emb.inv_freq');
}

/**
 * The weights as the engines take them.
 *
 * @param valuesOf values of a tensor by its name
 */
export function assembleWeights(
  config: TransformerConfig,
  valuesOf: (name: string) => Float32Array,
): TransformerWeights {
  const ofLayer = layerTensors(config);
  return {
    embedding: valuesOf(EMBEDDING),
    layers: Array.from(
      { length: config.layers },
      (_, layer) =>
        Object.fromEntries(
          ofLayer.map(({ field, suffix }) => [field, valuesOf(layerName(layer, suffix))]),
        ) as unknown as LayerWeights,
    ),
    finalNorm: valuesOf(FINAL_NORM),
    ...(config.tiedHead ? {} : { head: valuesOf(HEAD) }),
  };
}
