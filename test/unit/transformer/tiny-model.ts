import { numberToHalf } from '../../../lib/attention/quantise/half';
import { createRandom } from '../../../lib/random/random';
import { WORDS } from '../../../lib/tasks/vocabulary';
import type { Dtype } from '../../../lib/tensors/dtype';
import { type TensorToWrite, writeTensors } from '../../../lib/tensors/write';
import { readConfig } from '../../../lib/transformer/load/config';
import { neededTensors } from '../../../lib/transformer/load/needed-tensors';
import { wordTokenizerJson } from '../../../lib/transformer/load/word-tokenizer';
import type { Architecture } from '../../../lib/transformer/types';

const CLASSES: Readonly<Record<Architecture, string>> = {
  llama: 'LlamaForCausalLM',
  mistral: 'MistralForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
};

/** A `config.json` of two layers, with the fields that a family's own files have. */
export function tinyConfig(architecture: Architecture, change: object = {}) {
  return {
    architectures: [CLASSES[architecture]],
    model_type: architecture,
    hidden_act: 'silu',
    vocab_size: WORDS.length,
    hidden_size: 24,
    intermediate_size: 20,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    max_position_embeddings: 256,
    tie_word_embeddings: architecture === 'qwen2' || architecture === 'llama',
    bos_token_id: 1,
    eos_token_id: 2,
    ...(architecture === 'qwen3' ? { head_dim: 8, attention_bias: false } : {}),
    ...(architecture === 'mistral' ? { sliding_window: null } : {}),
    ...(architecture === 'qwen2'
      ? { use_sliding_window: false, sliding_window: 128, max_window_layers: 1 }
      : {}),
    ...change,
  };
}

/** Little-endian bytes of values that the dtype holds exactly. */
function encode(values: Float32Array<ArrayBuffer>, dtype: Dtype): TensorToWrite['data'] {
  if (dtype === 'F32') return values;
  if (dtype === 'F16') return Uint16Array.from(values, (value) => numberToHalf(value, 'up'));
  if (dtype === 'F64') return Float64Array.from(values);
  return new Uint16Array(values.length).map(
    (_, i) => new Uint32Array(values.buffer, values.byteOffset + 4 * i, 1)[0]! >>> 16,
  );
}

/** Random tensors of a configuration: multiples of 1/256, so that every dtype holds the same values. */
export function tinyTensors(config: object, dtype: Dtype = 'F32', seed = 1): TensorToWrite[] {
  const random = createRandom(seed);
  return neededTensors(readConfig(config)).map(({ name, shape }) => {
    const count = shape.reduce((product, side) => product * side, 1);
    const isNorm = name.includes('norm');
    const values = Float32Array.from({ length: count }, () =>
      isNorm ? 1 + random.integer(-63, 63) / 128 : random.integer(-127, 127) / 256,
    );
    return { name, dtype, shape, data: encode(values, dtype) };
  });
}

export interface TinyModel {
  readonly config: object;
  readonly tensors: readonly TensorToWrite[];
  /** Files of weights; 1 is one `model.safetensors`. */
  readonly shards?: number;
}

const jsonBlob = (value: unknown) => new Blob([JSON.stringify(value)]);

/** The files of a model, as `openModel` takes them. */
export function tinyFiles({ config, tensors, shards = 1 }: TinyModel): Map<string, Blob> {
  const files = new Map<string, Blob>([
    ['config.json', jsonBlob(config)],
    ['tokenizer.json', jsonBlob(wordTokenizerJson())],
  ]);
  if (shards === 1) return files.set('model.safetensors', writeTensors(tensors));
  const weight_map: Record<string, string> = {};
  const per = Math.ceil(tensors.length / shards);
  for (let shard = 0; shard < shards; shard++) {
    const of = (n: number) => String(n).padStart(5, '0');
    const name = `model-${of(shard + 1)}-of-${of(shards)}.safetensors`;
    const part = tensors.slice(shard * per, (shard + 1) * per);
    files.set(name, writeTensors(part, { format: 'pt' }));
    for (const tensor of part) weight_map[tensor.name] = name;
  }
  return files.set('model.safetensors.index.json', jsonBlob({ metadata: {}, weight_map }));
}

/** A file with its last bytes gone. */
export function cutOff(file: Blob, bytes: number): Blob {
  return file.slice(0, file.size - bytes);
}
