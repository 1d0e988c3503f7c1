import { expect, test } from 'vitest';
import { configNotes, readConfig } from '../../../lib/transformer/load/config';
import { tinyConfig } from './tiny-model';

test('a whole file of each family', () => {
  expect(readConfig(tinyConfig('llama'))).toEqual({
    architecture: 'llama',
    layers: 2,
    hiddenSize: 24,
    intermediateSize: 20,
    heads: 4,
    kvHeads: 2,
    headSize: 6,
    vocabularySize: 242,
    normEpsilon: 1e-5,
    ropeTheta: 10_000,
    ropeScaling: { type: 'none' },
    tiedHead: true,
    qkvBias: false,
    qkNorm: false,
    maxPositions: 256,
    bosToken: 1,
    eosTokens: [2],
  });
  expect(readConfig(tinyConfig('qwen2'))).toMatchObject({ qkvBias: true, maxPositions: 256 });
  expect(readConfig(tinyConfig('qwen3'))).toMatchObject({ qkNorm: true, headSize: 8 });
  expect(readConfig(tinyConfig('mistral'))).toMatchObject({ tiedHead: false, maxPositions: 256 });
});

test('absent and null fields have the defaults of the library that writes the files', () => {
  const least = {
    model_type: 'llama',
    vocab_size: 10,
    hidden_size: 16,
    intermediate_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: 4,
    max_position_embeddings: 64,
    head_dim: null,
    rope_scaling: null,
  };
  const read = readConfig(least);
  expect(read).toMatchObject({ kvHeads: 4, headSize: 4, normEpsilon: 1e-6, ropeTheta: 1e4 });
  expect(read).toMatchObject({ tiedHead: false, eosTokens: [] });
  expect('bosToken' in read).toBe(false);
  expect(readConfig({ ...least, model_type: 'qwen3' }).headSize).toBe(128);
  const named = { ...least, model_type: undefined, architectures: ['MistralForCausalLM'] };
  expect(readConfig({ ...named, sliding_window: null }).architecture).toBe('mistral');
  expect(readConfig({ ...least, eos_token_id: [3, 4] }).eosTokens).toEqual([3, 4]);
});

const scaled = (change: object) => readConfig(tinyConfig('llama', change)).ropeScaling;

test('rope scaling in old, new and newest spelling', () => {
  const linear = { type: 'linear', factor: 4 };
  expect(scaled({ rope_scaling: { type: 'linear', factor: 4 } })).toEqual(linear);
  expect(scaled({ rope_scaling: { rope_type: 'linear', factor: 4 } })).toEqual(linear);
  const newest = { rope_type: 'linear', factor: 4, rope_theta: 5e5 };
  const { ropeTheta, ropeScaling } = readConfig(tinyConfig('llama', { rope_parameters: newest }));
  expect([ropeTheta, ropeScaling]).toEqual([5e5, linear]);
  const plain = { rope_parameters: { rope_type: 'default', rope_theta: 2e4 } };
  expect(readConfig(tinyConfig('llama', plain))).toMatchObject({
    ropeTheta: 2e4,
    ropeScaling: { type: 'none' },
  });
  expect(scaled({ rope_scaling: { type: 'dynamic', factor: 2 } })).toEqual({
    type: 'dynamic-ntk',
    factor: 2,
    originalTokens: 256,
    contextTokens: 256,
  });
  const llama3 = {
    rope_type: 'llama3',
    factor: 8,
    original_max_position_embeddings: 128,
    low_freq_factor: 1,
    high_freq_factor: 4,
  };
  expect(scaled({ rope_scaling: llama3 })).toEqual({
    type: 'llama3',
    factor: 8,
    originalTokens: 128,
    lowFrequencyFactor: 1,
    highFrequencyFactor: 4,
  });
});

test('yarn: defaults, the factor from two lengths, and its attention factor', () => {
  const yarn = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 64 };
  const read = { type: 'yarn', factor: 4, originalTokens: 64, betaFast: 32, betaSlow: 1 };
  expect(scaled({ rope_scaling: yarn })).toEqual(read);
  expect(scaled({ rope_scaling: { ...yarn, factor: undefined } })).toEqual(read);
  const given = { ...yarn, attention_factor: 1.2, beta_fast: 16, beta_slow: 2 };
  expect(scaled({ rope_scaling: given })).toEqual({
    ...read,
    ...{ attentionFactor: 1.2, betaFast: 16, betaSlow: 2 },
  });
  const ratio = scaled({ rope_scaling: { ...yarn, mscale: 1, mscale_all_dim: 0.5 } });
  const log4 = Math.log(4);
  expect(ratio).toMatchObject({ attentionFactor: (0.1 * log4 + 1) / (0.05 * log4 + 1) });
});

test('a sliding window counts where it is active, and bounds the context', () => {
  const positions = (config: object) => readConfig(config).maxPositions;
  const mistral = tinyConfig('mistral', { sliding_window: 100 });
  expect(positions(mistral)).toBe(100);
  expect(configNotes(mistral)).toEqual([
    'sliding_window 100 is below max_position_embeddings 256: contexts are limited to 100 tokens, where the window hides nothing',
  ]);
  const { sliding_window: _, ...absent } = tinyConfig('mistral', { max_position_embeddings: 8192 });
  expect(positions(absent)).toBe(4096);
  const qwen = { sliding_window: 100, use_sliding_window: true };
  expect(positions(tinyConfig('qwen2', qwen))).toBe(100);
  expect(positions(tinyConfig('qwen2', { ...qwen, max_window_layers: 2 }))).toBe(256);
  expect(positions(tinyConfig('qwen2', { ...qwen, use_sliding_window: false }))).toBe(256);
  const types = ['full_attention', 'sliding_attention'];
  expect(positions(tinyConfig('qwen3', { ...qwen, layer_types: types }))).toBe(100);
  expect(positions(tinyConfig('qwen3', { layer_types: types, sliding_window: 50 }))).toBe(256);
  expect(positions(tinyConfig('llama', { ...qwen, layer_types: types }))).toBe(256);
  const full = ['full_attention', 'full_attention'];
  expect(positions(tinyConfig('qwen3', { ...qwen, layer_types: full }))).toBe(256);
  expect(configNotes(tinyConfig('llama'))).toEqual([]);
  const dynamic = tinyConfig('llama', { rope_scaling: { type: 'dynamic', factor: 2 } });
  expect(configNotes(dynamic)).toEqual([
    'dynamic rope scaling is set for contexts within the trained length',
  ]);
});

test.each<[object, string]>([
  [
    { model_type: 'gemma2' },
    'unsupported model_type: "gemma2" (expected one of llama, mistral, qwen2, qwen3)',
  ],
  [
    { model_type: undefined, architectures: ['GPT2LMHeadModel'] },
    'unsupported architectures: ["GPT2LMHeadModel"] (expected one of llama, mistral, qwen2, qwen3)',
  ],
  [
    { architectures: ['LlamaForSequenceClassification'] },
    'unsupported architectures: ["LlamaForSequenceClassification"] (expected "LlamaForCausalLM" for model_type "llama")',
  ],
  [{ hidden_size: undefined }, 'invalid hidden_size: nothing (expected an integer from 1)'],
  [{ hidden_size: '24' }, 'invalid hidden_size: "24" (expected an integer from 1)'],
  [{ num_hidden_layers: 0 }, 'invalid num_hidden_layers: 0 (expected an integer 1..1024)'],
  [{ vocab_size: 2.5 }, 'invalid vocab_size: 2.5 (expected an integer from 1)'],
  [
    { num_key_value_heads: 3 },
    'invalid num_key_value_heads: 3 (expected a divisor of num_attention_heads 4)',
  ],
  [
    { hidden_size: 26 },
    'invalid hidden_size: 26 (expected a multiple of num_attention_heads 4, as head_dim is absent)',
  ],
  [{ head_dim: 7 }, 'invalid head_dim: 7 (expected an even number: RoPE turns pairs)'],
  [{ hidden_act: 'gelu' }, 'unsupported hidden_act: "gelu" (expected "silu")'],
  [
    { quantization_config: { bits: 4 } },
    'unsupported quantization_config: {"bits":4} (expected plain f32, f16 or bf16 weights)',
  ],
  [
    { attention_bias: true },
    "unsupported attention_bias: true (expected false: only qwen2's biases of q, k and v are known)",
  ],
  [{ tie_word_embeddings: 1 }, 'invalid tie_word_embeddings: 1 (expected true or false)'],
  [{ eos_token_id: [2, 242] }, 'invalid eos_token_id: 242 (expected an integer 0..241)'],
  [{ rms_norm_eps: -1 }, 'invalid rms_norm_eps: -1 (expected a number from 0)'],
  [{ rope_theta: -3 }, 'invalid rope_theta: -3 (expected a number above 0)'],
  [{ rope_theta: 1 }, 'rope_theta: invalid base: 1 (expected above 1)'],
  [{ rope_scaling: 4 }, 'invalid rope_scaling: 4 (expected a JSON object)'],
  [
    { rope_scaling: { rope_type: 'longrope', factor: 4 } },
    'unsupported rope_scaling.rope_type: "longrope" (expected one of default, linear, dynamic, yarn, llama3)',
  ],
  [
    { rope_scaling: { factor: 4 } },
    'invalid rope_scaling.rope_type: nothing, beside "factor" (expected default, linear, dynamic, yarn, llama3)',
  ],
  [
    { rope_scaling: { type: 'linear' } },
    'invalid rope_scaling.factor: nothing (expected a number from 0)',
  ],
  [
    { rope_scaling: { type: 'linear', factor: 0.5 } },
    'rope_scaling: invalid linear factor: 0.5 (expected a finite number from 1)',
  ],
  [
    { partial_rotary_factor: 0.5 },
    'unsupported partial_rotary_factor: 0.5 (expected 1: all channels turn)',
  ],
  [
    { model_type: 'qwen3', architectures: undefined, layer_types: ['linear_attention'] },
    'unsupported layer_types: "linear_attention" (expected full_attention or sliding_attention)',
  ],
])('refuses %j', (change, message) => {
  expect(() => readConfig(tinyConfig('llama', change))).toThrow(new Error(message));
});

test('refuses what is no object', () => {
  for (const [value, shown] of [
    [[], '[]'],
    [null, 'null'],
    ['x', '"x"'],
  ] as const) {
    expect(() => readConfig(value)).toThrow(
      `invalid config.json: ${shown} (expected a JSON object)`,
    );
  }
});
