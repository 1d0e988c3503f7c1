import type { Architecture, TransformerConfig } from '../types';
import { asObject, booleanField, field, type JsonObject, numberField, show } from './json-fields';
import { readRope } from './rope-config';
import { slidingWindow } from './sliding-window';

/** The class that a family's files name; SmolLM (1 and 2) and TinyLlama are Llama by it. */
const CLASSES: Readonly<Record<Architecture, string>> = {
  llama: 'LlamaForCausalLM',
  mistral: 'MistralForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
};
const FAMILIES = Object.keys(CLASSES) as Architecture[];

/**
 * The shape of a decoder from Hugging Face's `config.json`; absent fields have that library's
 * defaults. Where a sliding window is active, `maxPositions` is at most the window: within it, and
 * only there, windowed and full attention are the same.
 *
 * @throws Error, one sentence with the field and its value
 */
export function readConfig(json: unknown): TransformerConfig {
  const config = asObject(json, 'config.json');
  const architecture = readArchitecture(config);
  refuseUnsupported(config, architecture);
  const hiddenSize = numberField(config, 'hidden_size');
  const layers = numberField(config, 'num_hidden_layers', { most: 1024 });
  const heads = numberField(config, 'num_attention_heads', { most: 4096 });
  const kvHeads = numberField(config, 'num_key_value_heads', { orElse: heads, most: heads });
  if (heads % kvHeads !== 0) {
    throw new Error(
      `invalid num_key_value_heads: ${kvHeads} (expected a divisor of num_attention_heads ${heads})`,
    );
  }
  const headSize = readHeadSize(config, architecture, hiddenSize, heads);
  const vocabularySize = numberField(config, 'vocab_size');
  const trainedPositions = numberField(config, 'max_position_embeddings');
  const token = { least: 0, most: vocabularySize - 1 };
  const bos = field(config, 'bos_token_id');
  return {
    architecture,
    layers,
    hiddenSize,
    intermediateSize: numberField(config, 'intermediate_size'),
    heads,
    kvHeads,
    headSize,
    vocabularySize,
    normEpsilon: numberField(config, 'rms_norm_eps', { orElse: 1e-6, least: 0, real: true }),
    ...readRope(config, headSize, trainedPositions),
    tiedHead: booleanField(config, 'tie_word_embeddings', false),
    qkvBias: architecture === 'qwen2',
    qkNorm: architecture === 'qwen3',
    maxPositions: Math.min(trainedPositions, slidingWindow(config, architecture) ?? Infinity),
    ...(bos === undefined ? {} : { bosToken: numberField(config, 'bos_token_id', token) }),
    eosTokens: readEosTokens(config, vocabularySize),
  };
}

/** What a reader of results should know of how `readConfig` took the file; often nothing. */
export function configNotes(json: unknown): readonly string[] {
  const { maxPositions, ropeScaling } = readConfig(json);
  const trained = numberField(asObject(json, 'config.json'), 'max_position_embeddings');
  const notes: string[] = [];
  if (maxPositions < trained) {
    notes.push(
      `sliding_window ${maxPositions} is below max_position_embeddings ${trained}: contexts are limited to ${maxPositions} tokens, where the window hides nothing`,
    );
  }
  if (ropeScaling.type === 'dynamic-ntk') {
    notes.push('dynamic rope scaling is set for contexts within the trained length');
  }
  return notes;
}

/**
 * `eos_token_id`, a number or a list, of `config.json` or `generation_config.json`.
 *
 * @throws Error naming the value
 */
export function readEosTokens(config: JsonObject, vocabularySize: number): readonly number[] {
  const value = field(config, 'eos_token_id');
  if (value === undefined) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((eos_token_id) =>
    numberField({ eos_token_id }, 'eos_token_id', { least: 0, most: vocabularySize - 1 }),
  );
}

function readArchitecture(config: JsonObject): Architecture {
  const type = field(config, 'model_type');
  const classes = field(config, 'architectures');
  const named = Array.isArray(classes) ? classes[0] : undefined;
  const known = FAMILIES.find((family) =>
    type === undefined ? CLASSES[family] === named : family === type,
  );
  const expected = `expected one of ${FAMILIES.join(', ')}`;
  if (known === undefined) {
    const [name, value] =
      type === undefined ? ['architectures', classes] : (['model_type', type] as const);
    throw new Error(`unsupported ${name}: ${show(value)} (${expected})`);
  }
  if (named !== undefined && named !== CLASSES[known]) {
    throw new Error(
      `unsupported architectures: ${show(classes)} (expected ${show(CLASSES[known])} for model_type ${show(known)})`,
    );
  }
  return known;
}

function refuseUnsupported(config: JsonObject, architecture: Architecture): void {
  const activation = field(config, 'hidden_act') ?? 'silu';
  if (activation !== 'silu' && activation !== 'swish') {
    throw new Error(`unsupported hidden_act: ${show(activation)} (expected "silu")`);
  }
  if (field(config, 'quantization_config') !== undefined) {
    throw new Error(
      `unsupported quantization_config: ${show(config.quantization_config)} (expected plain f32, f16 or bf16 weights)`,
    );
  }
  // Qwen2's biases of q, k and v are not optional: its files do not say so.
  const biases = architecture === 'qwen2' ? ['mlp_bias'] : ['attention_bias', 'mlp_bias'];
  for (const name of biases) {
    if (booleanField(config, name, false)) {
      throw new Error(
        `unsupported ${name}: true (expected false: only qwen2's biases of q, k and v are known)`,
      );
    }
  }
}

function readHeadSize(
  config: JsonObject,
  architecture: Architecture,
  hiddenSize: number,
  heads: number,
): number {
  const byDefault = architecture === 'qwen3' ? 128 : hiddenSize / heads;
  if (field(config, 'head_dim') === undefined && !Number.isInteger(byDefault)) {
    throw new Error(
      `invalid hidden_size: ${hiddenSize} (expected a multiple of num_attention_heads ${heads}, as head_dim is absent)`,
    );
  }
  const headSize = numberField(config, 'head_dim', { orElse: byDefault, most: 4096 });
  if (headSize % 2 !== 0) {
    throw new Error(`invalid head_dim: ${headSize} (expected an even number: RoPE turns pairs)`);
  }
  return headSize;
}
