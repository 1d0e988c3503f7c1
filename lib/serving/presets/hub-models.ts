import type { ModelSpec } from '../types';
import { MODELS } from './models';

/** A model by its architecture alone: what a run's metadata names. */
export type HubModel = Omit<ModelSpec, 'id'>;

const BF16 = { bytesPerWeight: 2, bytesPerKvElement: 2, ffnMatrices: 3 } as const;

const QWEN3_8B: HubModel = {
  ...BF16,
  label: 'Qwen3 8B',
  layers: 36,
  hiddenSize: 4096,
  queryHeads: 32,
  kvHeads: 8,
  headSize: 128,
  ffnSize: 12_288,
  vocabularySize: 151_936,
  maxModelTokens: 40_960,
  source: 'config.json of Qwen/Qwen3-8B',
};

const QWEN3_14B: HubModel = {
  ...BF16,
  label: 'Qwen3 14B',
  layers: 40,
  hiddenSize: 5120,
  queryHeads: 40,
  kvHeads: 8,
  headSize: 128,
  ffnSize: 17_408,
  vocabularySize: 151_936,
  maxModelTokens: 40_960,
  source: 'config.json of Qwen/Qwen3-14B',
};

/** By the last part of the name, lower case, without `-instruct` and what follows a size. */
const BY_NAME: readonly (readonly [pattern: RegExp, model: HubModel])[] = [
  [/^(meta-)?llama-3(\.\d)?-8b/, MODELS['llama-3.1-8b']],
  [/^(meta-)?llama-3(\.\d)?-70b/, MODELS['llama-3.1-70b']],
  [/^llama-2-7b/, MODELS['llama-2-7b']],
  [/^mistral-7b/, MODELS['mistral-7b']],
  [/^qwen2\.5-14b/, MODELS['qwen2.5-14b']],
  [/^qwen3-32b/, MODELS['qwen3-32b']],
  [/^qwen3-30b-a3b/, MODELS['qwen3-30b-a3b']],
  [/^qwen3-14b/, QWEN3_14B],
  [/^qwen3-8b/, QWEN3_8B],
  [/^mixtral-8x7b/, MODELS['mixtral-8x7b']],
  [/^opt-13b/, MODELS['opt-13b']],
  [/^opt-66b/, MODELS['opt-66b']],
];

/** The architecture behind a name such as `meta-llama/Llama-3.1-8B`, or undefined. */
export function hubModel(name: string): HubModel | undefined {
  const last = (name.split('/').at(-1) ?? '').toLowerCase();
  return BY_NAME.find(([pattern]) => pattern.test(last))?.[1];
}

const wholeNumber = (config: Readonly<Record<string, unknown>>, ...names: string[]) => {
  for (const name of names) {
    const value = config[name];
    if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
  }
  return undefined;
};

/**
 * The architecture that a checkpoint's `config.json` describes.
 * @param file its name, for messages
 * @throws Error naming the field that is missing or no positive integer
 */
export function hubModelOfConfig(file: string, value: unknown): HubModel {
  const outer = (value ?? {}) as Readonly<Record<string, unknown>>;
  const config = (outer.text_config ?? outer) as Readonly<Record<string, unknown>>;
  const need = (...names: string[]): number => {
    const found = wholeNumber(config, ...names);
    if (found === undefined)
      throw new Error(
        `${file}: invalid ${names[0]}: ${JSON.stringify(config[names[0] as string])} (expected a positive integer)`,
      );
    return found;
  };
  const hiddenSize = need('hidden_size');
  const queryHeads = need('num_attention_heads');
  const expertCount = wholeNumber(config, 'num_experts', 'num_local_experts', 'n_routed_experts');
  return {
    ...BF16,
    label: String(outer._name_or_path ?? outer.model_type ?? 'model of config.json'),
    layers: need('num_hidden_layers'),
    hiddenSize,
    queryHeads,
    kvHeads: wholeNumber(config, 'num_key_value_heads') ?? queryHeads,
    headSize: wholeNumber(config, 'head_dim') ?? hiddenSize / queryHeads,
    ffnSize:
      (expertCount === undefined ? undefined : wholeNumber(config, 'moe_intermediate_size')) ??
      need('intermediate_size'),
    vocabularySize: need('vocab_size'),
    maxModelTokens: wholeNumber(config, 'max_position_embeddings') ?? 131_072,
    experts:
      expertCount === undefined
        ? undefined
        : { count: expertCount, perToken: need('num_experts_per_tok') },
    source: file,
  };
}
