/** Names of the bundled presets. The data behind them lives in `lib/serving` and `lib/workload`. */

export const MODEL_IDS = [
  'llama-3.1-8b',
  'llama-3.1-70b',
  'llama-2-7b',
  'mistral-7b',
  'qwen2.5-14b',
  'qwen3-32b',
  'opt-13b',
  'opt-66b',
  'qwen3-30b-a3b',
  'mixtral-8x7b',
] as const;
export type ModelId = (typeof MODEL_IDS)[number];

export const HARDWARE_IDS = [
  'a100-80g',
  'h100',
  'l40s',
  'rtx-4090',
  'rtx-pro-6000',
  'rtx-a6000',
  'h200',
] as const;
export type HardwareId = (typeof HARDWARE_IDS)[number];

/** Compressed and changed models, as multipliers of cost: `lib/serving/transforms`. */
export const TRANSFORM_IDS = [
  'finequant-int4',
  'finequant-int8',
  'comet',
  'squeezellm',
  'dfloat11',
  'swiftkv',
  'swiftkv-acrosskv',
  'fastkv',
  'lserve',
  'duo-attention-mha',
  'duo-attention-gqa',
  'snapkv',
  'minference',
  'longgen',
  'llm-in-a-flash',
  'energonai',
  'tpi-llm',
] as const;
export type TransformId = (typeof TRANSFORM_IDS)[number];
