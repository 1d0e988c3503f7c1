import { tinyConfig } from './tiny-model';

const yarn = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 64 };
const llama3 = {
  rope_type: 'llama3',
  factor: 8,
  original_max_position_embeddings: 64,
  low_freq_factor: 1,
  high_freq_factor: 4,
};

/** Models of every family and rope scaling, made from a seed; a head size other than width / heads in some. */
export const GOLDEN_MODELS: Readonly<Record<string, object>> = {
  llama: tinyConfig('llama'),
  'llama-linear': tinyConfig('llama', {
    rope_parameters: { rope_type: 'linear', factor: 4, rope_theta: 500_000 },
  }),
  'llama-llama3': tinyConfig('llama', { head_dim: 16, rope_scaling: llama3 }),
  mistral: tinyConfig('mistral'),
  qwen2: tinyConfig('qwen2'),
  qwen3: tinyConfig('qwen3'),
  'qwen3-yarn': tinyConfig('qwen3', { head_dim: 16, rope_scaling: yarn }),
};

/** A text of the vocabulary without sense. */
export const GOLDEN_TOKENS: readonly number[] = Array.from(
  { length: 40 },
  (_, i) => (i * 37 + 11) % 242,
);
