import { HARDWARE } from '../presets/hardware';
import { type HubModel, hubModel } from '../presets/hub-models';
import { kvBytesPerToken, weightBytes, withExpertsOver } from '../presets/kv-plan';
import { isBefore } from '../presets/links';
import type { HardwareSpec } from '../types';
import type { JsonObject } from './json-lines';

/** Settings of the engine that made a run, from its metadata, else the engine's own defaults. */
export interface EngineSettings {
  readonly model: HubModel;
  readonly hardware: HardwareSpec | undefined;
  readonly tensorParallel: number;
  readonly replicas: number;
  /** The replicas are data-parallel ranks of one model, whose experts are spread over all of them. */
  readonly sharedExperts: 'none' | 'sliced' | 'whole';
  /** Version of the engine, such as `0.19.0`; empty where the run does not say. */
  readonly engineVersion: string;
  readonly maxBatchedTokens: number;
  readonly maxSequences: number;
  readonly longPrefillTokens: number;
  readonly blockTokens: number;
  readonly kvBlocks: number;
  readonly prefixCaching: boolean;
  readonly chunkedPrefill: boolean;
  readonly reservePrompt: boolean;
  readonly order: 'fcfs' | 'priority';
  readonly asyncScheduling: boolean;
  readonly cudaGraphs: boolean;
  readonly notes: readonly string[];
}

export interface SettingOverrides {
  readonly model?: HubModel | undefined;
  readonly tensorParallel?: number | undefined;
  readonly kvBlocks?: number | undefined;
  /** Name of the accelerator where the run's metadata has none, such as the tables' metadata gives. */
  readonly gpu?: string | undefined;
}

const GIB = 2 ** 30;

/** The value of the first of these keys, wherever in the metadata it is; null counts as absent. */
function findKey(value: unknown, keys: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  for (const key of keys) {
    const own = entries.find(([name, field]) => name === key && field !== null);
    if (own !== undefined) return own[1];
  }
  for (const [, field] of entries) {
    const inner = findKey(field, keys);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

/** The accelerator behind a name such as `NVIDIA RTX PRO 6000 Blackwell Server Edition` or `RTXPRO6000`. */
export function hardwareNamed(name: string | undefined): HardwareSpec | undefined {
  const plain = (name ?? '').toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  if (/rtxpro6000/.test(plain)) return HARDWARE['rtx-pro-6000'];
  if (/4090/.test(plain)) return HARDWARE['rtx-4090'];
  if (/l40s/.test(plain)) return HARDWARE.l40s;
  if (/h100/.test(plain)) return HARDWARE.h100;
  if (/a100/.test(plain)) return HARDWARE['a100-80g'];
  return undefined;
}

/**
 * @param file path of the metadata, for messages
 * @throws Error naming the file and the field that is missing or wrong
 */
export function readEngineSettings(
  file: string,
  meta: JsonObject,
  overrides: SettingOverrides,
): EngineSettings {
  const notes: string[] = [];
  const number = (fallback: number, least: number, ...keys: string[]): number => {
    const found = findKey(meta, keys);
    if (found === undefined) return fallback;
    if (typeof found !== 'number' || !Number.isInteger(found) || found < least)
      throw new Error(
        `${file}: invalid ${keys[0]}: ${JSON.stringify(found)} (expected an integer from ${least})`,
      );
    return found;
  };
  const flag = (fallback: boolean, ...keys: string[]): boolean => {
    const found = findKey(meta, keys);
    if (found === undefined) return fallback;
    if (typeof found !== 'boolean')
      throw new Error(
        `${file}: invalid ${keys[0]}: ${JSON.stringify(found)} (expected true or false)`,
      );
    return found;
  };
  const text = (...keys: string[]): string | undefined => {
    const found = findKey(meta, keys);
    return typeof found === 'string' ? found : undefined;
  };

  const name = text('model', 'model_path', 'model_id');
  const model = overrides.model ?? (name === undefined ? undefined : hubModel(name));
  if (model === undefined) {
    throw new Error(
      `${file}: unknown model: ${JSON.stringify(name)} (pass its config.json with --model-config FILE)`,
    );
  }
  const hardware = hardwareNamed(text('gpu', 'gpu_name', 'hardware', 'device') ?? overrides.gpu);
  // Defaults of the server by memory, vllm/engine/arg_utils.py: 8192 tokens and 1024 sequences from 70 GiB.
  const isLarge = hardware !== undefined && hardware.memoryBytes >= 70 * GIB;
  const maxBatchedTokens = number(isLarge ? 8192 : 2048, 1, 'max_num_batched_tokens');
  const maxSequences = number(isLarge ? 1024 : 256, 1, 'max_num_seqs');
  const tensorParallel =
    overrides.tensorParallel ?? number(1, 1, 'tensor_parallel_size', 'tp_size', 'tp');
  const blockTokens = number(16, 1, 'block_size');
  const version = text('vllm_version', 'version') ?? '';
  const order = text('scheduling_policy', 'policy') ?? 'fcfs';
  if (order !== 'fcfs' && order !== 'priority')
    throw new Error(`${file}: invalid scheduling_policy: "${order}" (expected fcfs or priority)`);
  const replicas = number(1, 1, 'data_parallel_size');
  const kvType = text('kv_cache_dtype') ?? 'auto';
  const settings = {
    model: /fp8|int8/.test(kvType) ? { ...model, bytesPerKvElement: 1 } : model,
    hardware,
    tensorParallel,
    replicas,
    sharedExperts:
      replicas === 1 || model.experts === undefined
        ? 'none'
        : flag(false, 'enable_expert_parallel')
          ? 'whole'
          : 'sliced',
    engineVersion: version,
    maxBatchedTokens,
    maxSequences,
    longPrefillTokens: number(0, 0, 'long_prefill_token_threshold'),
    blockTokens,
    prefixCaching: flag(true, 'enable_prefix_caching'),
    chunkedPrefill: flag(true, 'enable_chunked_prefill'),
    reservePrompt: flag(true, 'scheduler_reserve_full_isl'),
    order,
    // On by default from 0.14.
    asyncScheduling: flag(!isBefore(version, 0, 14), 'async_scheduling'),
    cudaGraphs: !flag(false, 'enforce_eager'),
  } as const;
  if (replicas > 1) {
    notes.push(
      settings.sharedExperts === 'none'
        ? `data parallel ${replicas} runs as so many replicas behind one router`
        : `data parallel ${replicas}: the ranks step together and ${settings.sharedExperts === 'whole' ? 'hold whole experts each' : 'hold a slice of every expert'}; every expert is taken to be as likely`,
    );
  }
  const kvBlocks =
    overrides.kvBlocks ?? givenBlocks(meta, blockTokens) ?? planFor(file, meta, settings, notes);
  return { ...settings, kvBlocks, notes };
}

function givenBlocks(meta: JsonObject, blockTokens: number): number | undefined {
  const blocks = findKey(meta, [
    'num_gpu_blocks',
    'num_gpu_blocks_override',
    'kv_blocks',
    'num_kv_blocks',
  ]);
  // One block of the pool is the null block.
  if (typeof blocks === 'number' && blocks > 1) return Math.floor(blocks) - 1;
  const tokens = findKey(meta, [
    'kv_cache_tokens',
    'gpu_kv_cache_tokens',
    'num_cache_tokens',
    'kv_cache_size_tokens',
  ]);
  return typeof tokens === 'number' && tokens >= blockTokens
    ? Math.floor(tokens / blockTokens)
    : undefined;
}

/**
 * Bytes that each logit needs at the peak of the engine's profiling run, which samples with top-k
 * and top-p: logits and sorted logits in 32 bits, their 64-bit indices, probabilities and their
 * running sum in 32 bits, and a mask (`vllm/v1/sample/ops/topk_topp_sampler.py`).
 */
const SAMPLER_BYTES_PER_LOGIT = 4 + 4 + 8 + 4 + 4 + 1;

/**
 * Memory that CUDA reports, which is below the data sheet's: RTX PRO 6000 from the machine
 * description beside LLMServingSim's profiles, the others as PyTorch names their total capacity.
 */
const REPORTED_GIB: Readonly<Partial<Record<HardwareSpec['id'], number>>> = {
  'rtx-pro-6000': 94.97,
  'rtx-4090': 23.64,
  h100: 79.1,
  'a100-80g': 79.15,
  l40s: 44.4,
};

export interface KvPlanInput {
  readonly model: HubModel;
  readonly hardware: HardwareSpec;
  readonly tensorParallel: number;
  readonly blockTokens: number;
  readonly maxBatchedTokens: number;
  readonly maxSequences: number;
  readonly utilization: number;
}

/**
 * Blocks as the engine would plan them: memory x utilisation less the weights and the peak of its
 * profiling run, the larger of a full step's widest layer and of sampling every sequence.
 */
export function plannedBlocks(input: KvPlanInput): number {
  const { model, hardware, tensorParallel: tp, maxBatchedTokens, maxSequences } = input;
  const ffn = 3 * model.ffnSize * (model.experts?.perToken ?? 1);
  const widest = 2 * maxBatchedTokens * (ffn / tp + 2 * model.hiddenSize);
  const sampled = maxSequences * model.vocabularySize * SAMPLER_BYTES_PER_LOGIT;
  const weights = weightBytes(model) / tp;
  const reported = REPORTED_GIB[hardware.id];
  const memory = reported === undefined ? hardware.memoryBytes : reported * GIB;
  const room = memory * input.utilization - weights - Math.max(widest, sampled);
  const replication = Math.max(1, tp / model.kvHeads);
  return Math.floor(room / ((kvBytesPerToken(model) * replication * input.blockTokens) / tp));
}

function planFor(
  file: string,
  meta: JsonObject,
  settings: Omit<EngineSettings, 'kvBlocks' | 'notes'>,
  notes: string[],
): number {
  const { model, hardware, tensorParallel } = settings;
  if (hardware === undefined) {
    throw new Error(
      `${file}: no num_gpu_blocks and no known gpu (pass the KV blocks of one replica with --kv-blocks N)`,
    );
  }
  const given = findKey(meta, ['gpu_memory_utilization']);
  const utilization = typeof given === 'number' ? given : 0.9;
  const held =
    settings.sharedExperts === 'none' ? model : withExpertsOver(model, settings.replicas);
  const blocks = plannedBlocks({ ...settings, model: held, hardware, utilization });
  if (blocks < 2) {
    throw new Error(
      `${file}: ${model.label} leaves no room for KV blocks on ${tensorParallel} x ${hardware.label} (pass --kv-blocks N)`,
    );
  }
  notes.push(
    `${blocks} KV blocks are planned from the memory of ${hardware.label}; the run does not name them`,
  );
  return blocks;
}
