import { describe, expect, it } from 'vitest';
import { emptyFeatures } from '../../../lib/serving/core/features';
import { calibratedCostModel, calibrationOf } from '../../../lib/serving/cost/calibrated';
import { MIXED_ATTENTION } from '../../../lib/serving/cost/mixed-attention';
import { makeGrid } from '../../../lib/serving/cost/silicon/grid';
import { readSiliconRows } from '../../../lib/serving/cost/silicon/read-rows';
import { readGemmTable, siliconCostModel } from '../../../lib/serving/cost/silicon/silicon-tables';
import { HARDWARE } from '../../../lib/serving/presets/hardware';
import { type HubModel, hubModel, hubModelOfConfig } from '../../../lib/serving/presets/hub-models';
import { weightBytes } from '../../../lib/serving/presets/kv-plan';
import { linkOf } from '../../../lib/serving/presets/links';
import type { BatchFeatures, CostModel } from '../../../lib/serving/types';
import { runClosedLoop } from '../../../lib/serving/vllm-v1/closed-loop';

/** Small enough that every matrix stands in the made-up tables. */
const TINY: HubModel = {
  label: 'tiny',
  layers: 2,
  hiddenSize: 64,
  queryHeads: 4,
  kvHeads: 2,
  headSize: 16,
  ffnSize: 128,
  ffnMatrices: 3,
  vocabularySize: 256,
  maxModelTokens: 4096,
  bytesPerWeight: 2,
  bytesPerKvElement: 2,
  source: 'test',
};
const lines = (header: string, rows: readonly (readonly (number | string)[])[]): string =>
  [header, ...rows.map((row) => row.join(','))].join('\n');
const SIZES = [32, 64, 128, 256];
/** Milliseconds, linear in each size so that blends are exact. */
const gemm = (m: number, n: number, k: number): number => 0.001 * m + 0.002 * n + 0.003 * k;
const FILES = {
  gemm_perf: lines(
    'gemm_dtype,m,n,k,latency',
    SIZES.flatMap((n) =>
      SIZES.flatMap((k) =>
        [1, 64, 512].flatMap((m) => [
          ['bfloat16', m, n, k, gemm(m, n, k)],
          ['fp8', m, n, k, gemm(m, n, k) / 2],
        ]),
      ),
    ),
  ),
  context_attention_perf: lines(
    'batch_size,isl,num_heads,num_key_value_heads,head_dim,kv_cache_dtype,window_size,latency',
    [1, 100, 1000].map((isl) => [1, isl, 4, 2, 16, 'bfloat16', 0, 0.01 + 0.001 * isl]),
  ),
  generation_attention_perf: lines(
    'batch_size,isl,num_heads,num_key_value_heads,head_dim,kv_cache_dtype,window_size,step,latency',
    [1, 8].flatMap((b) =>
      [15, 1023].map((step) => [
        b,
        1,
        4,
        2,
        16,
        'bfloat16',
        0,
        step,
        0.01 + 0.0001 * b * (step + 1),
      ]),
    ),
  ),
  nccl_perf: lines('op_name,nccl_dtype,num_gpus,message_size,latency', [
    ['all_reduce', 'half', 2, 256, 0.01],
    ['all_reduce', 'half', 2, 65_536, 0.02],
  ]),
};
const table = readGemmTable('gemm_perf', FILES.gemm_perf, 'bfloat16');
const modelOf = (more: object = {}): CostModel =>
  siliconCostModel(FILES, table, {
    model: TINY,
    hardware: HARDWARE.h100,
    tensorParallel: 1,
    gemm: 'bfloat16',
    largestGraphTokens: 0,
    maxTokens: 256,
    ...more,
  });
const batch = (part: Partial<BatchFeatures>): BatchFeatures => ({ ...emptyFeatures(), ...part });
const DECODES = {
  decodeCount: 4,
  decodeContextTokens: 400,
  decodeContextMin: 100,
  decodeContextMax: 100,
};
const PREFILL = { prefillCount: 1, prefillTokens: 100, prefillAttentionPairs: 5000 };

describe('silicon tables', () => {
  it('blend the sampled shapes around the wanted one', () => {
    expect(table.milliseconds(40, 96, 200)).toBeCloseTo(gemm(40, 96, 200), 12);
    expect(table.milliseconds(600, 64, 512)).toBeCloseTo(gemm(600, 64, 512), 12);
  });

  it('sum the operators of a decode step', () => {
    const memory = (elements: number) =>
      3e-3 + (elements * 2 * 1e3) / (HARDWARE.h100.bandwidthBytesPerSecond * 0.8);
    const layer =
      gemm(4, 128, 64) +
      gemm(4, 64, 64) +
      gemm(4, 256, 64) +
      gemm(4, 64, 128) +
      2 * memory(4 * 4 * 64) +
      memory(4 * 3 * 128) +
      (0.01 + 0.0001 * 4 * 100);
    const ms = 2 * layer + memory(2 * 4 * 64) + gemm(4, 256, 64);
    expect(modelOf().iterationSeconds(batch(DECODES)) * 1e3).toBeCloseTo(ms, 9);
  });

  it('charge a mixed batch more than its parts', () => {
    const model = modelOf();
    const attention = 2 * (0.01 + 0.0001 * 400 + 0.01 + 0.001 * 100);
    const mixed = model.iterationSeconds(batch({ ...DECODES, ...PREFILL })) * 1e3;
    const none =
      model.iterationSeconds(
        batch({ ...DECODES, decodeCount: 0, prefillCount: 5, prefillTokens: 104 }),
      ) * 1e3;
    // The second batch is the same tokens in prefills of no pairs: its attention is the smallest sample.
    const least = 2 * (0.01 + 0.001);
    expect(mixed - none).toBeCloseTo(attention / MIXED_ATTENTION.partsShare - least, 9);
  });

  it('say what they lack', () => {
    expect(() => modelOf({ tensorParallel: 2 })).toThrow(
      'context_attention_perf: no row of num_heads 2, num_key_value_heads 1, head_dim 16',
    );
    expect(() =>
      readGemmTable(
        'gemm_perf',
        FILES.gemm_perf.replace('bfloat16,64,32,32,', 'bfloat16,64,32,32,x'),
        'bfloat16',
      ),
    ).toThrow(/gemm_perf: line \d+: invalid latency: "x0.224" \(expected a number from 0\)/);
    expect(() => readSiliconRows('a', 'b,c\n1,2', { d: 1 }, ['b'])).toThrow(
      'a: line 1: missing column "d" (found b, c)',
    );
  });

  it('keep the faster of two kernels', () => {
    const grid = makeGrid(
      Float64Array.of(1, 1, 1),
      Float64Array.of(2, 2, 4),
      Float64Array.of(9, 5, 7),
    );
    expect([grid.at(1, 2), grid.at(1, 3), grid.at(5, 4)]).toEqual([5, 6, 7]);
  });
});

describe('calibrated model', () => {
  const model = hubModel('meta-llama/Llama-3.1-8B');
  const of = (tensorParallel: number): CostModel =>
    calibratedCostModel(
      model as HubModel,
      HARDWARE['rtx-pro-6000'],
      calibrationOf(HARDWARE['rtx-pro-6000']),
      {
        tensorParallel,
        link: linkOf(HARDWARE['rtx-pro-6000']),
        largestGraphTokens: 0,
      },
    );
  const decodes = (count: number, mean: number, longest = mean) =>
    batch({
      decodeCount: count,
      decodeContextTokens: count * mean,
      decodeContextMin: mean,
      decodeContextMax: longest,
    });

  it('lies above the data sheet and grows with everything that costs', () => {
    const hardware = HARDWARE['rtx-pro-6000'];
    const one = of(1).iterationSeconds(decodes(1, 100));
    // Less one embedding table, which a decode step does not read.
    const read = weightBytes(model as HubModel) - 128_256 * 4096 * 2;
    expect(one).toBeGreaterThan(read / hardware.bandwidthBytesPerSecond);
    expect(one).toBeLessThan((1.4 * read) / hardware.bandwidthBytesPerSecond);
    expect(of(1).iterationSeconds(decodes(64, 1000))).toBeGreaterThan(
      of(1).iterationSeconds(decodes(64, 100)),
    );
    expect(of(1).iterationSeconds(decodes(64, 1000, 4000))).toBeGreaterThan(
      of(1).iterationSeconds(decodes(64, 1000)),
    );
    expect(of(2).iterationSeconds(decodes(1, 100))).toBeLessThan(one);
  });

  it('needs tables for experts', () => {
    const moe = hubModel('Qwen/Qwen3-30B-A3B-Instruct-2507') as HubModel;
    expect(() =>
      calibratedCostModel(moe, HARDWARE.h100, calibrationOf(HARDWARE.h100), {
        tensorParallel: 1,
        link: linkOf(HARDWARE.h100),
        largestGraphTokens: 0,
      }),
    ).toThrow(/Qwen3 30B A3B has experts/);
  });
});

describe('models by name', () => {
  it('have the weights of their names', () => {
    const billions = (name: string) => weightBytes(hubModel(name) as HubModel) / 2e9;
    expect(billions('meta-llama/Llama-3.1-8B')).toBeCloseTo(8, 0);
    expect(billions('Qwen/Qwen3-32B')).toBeCloseTo(32.8, 0);
    expect(billions('Qwen/Qwen3-30B-A3B-Instruct-2507')).toBeCloseTo(30.5, 0);
    expect(billions('mistralai/Mixtral-8x7B-v0.1')).toBeCloseTo(46.7, 0);
    expect(hubModel('somebody/else')).toBeUndefined();
  });

  it('or of a config.json, whose missing fields are named', () => {
    const config = {
      num_hidden_layers: 2,
      hidden_size: 64,
      num_attention_heads: 4,
      intermediate_size: 96,
      vocab_size: 99,
    };
    expect(hubModelOfConfig('c', config)).toMatchObject({
      layers: 2,
      kvHeads: 4,
      headSize: 16,
      ffnSize: 96,
    });
    const moe = { ...config, num_experts: 8, num_experts_per_tok: 2, moe_intermediate_size: 32 };
    expect(hubModelOfConfig('c', moe)).toMatchObject({
      ffnSize: 32,
      experts: { count: 8, perToken: 2 },
    });
    expect(() => hubModelOfConfig('c', { ...config, vocab_size: 0 })).toThrow(
      'c: invalid vocab_size: 0 (expected a positive integer)',
    );
  });
});

describe('closed loop', () => {
  const constant: CostModel = {
    kind: 'roofline',
    label: 'test',
    source: 'test',
    iterationSeconds: () => 0.5,
  };
  const options = {
    maxBatchedTokens: 64,
    maxSequences: 8,
    longPrefillTokens: 0,
    chunkedPrefill: true,
    reservePrompt: true,
    order: 'fcfs',
  } as const;
  const load = {
    concurrency: 1,
    requests: 3,
    promptTokens: 32,
    outputTokens: 5,
    kvBlocks: 10,
    blockTokens: 16,
  };
  const times = { stepsInFlight: 1, stepBoundarySeconds: 0.25 } as const;

  it('of one client is its steps one after another', () => {
    const result = runClosedLoop(load, options, times, constant);
    expect(result).toEqual({ ttftSeconds: 0.75, tpotSeconds: 0.75, iterations: 15 });
  });

  it('waits for a place when clients are more than sequences', () => {
    const two = { ...load, concurrency: 2, requests: 4 };
    const result = runClosedLoop(two, { ...options, maxSequences: 1 }, times, constant);
    expect(result.iterations).toBe(20);
    expect(result.tpotSeconds).toBe(0.75);
    expect(result.ttftSeconds).toBeGreaterThan(3);
  });

  it('refuses what can never fit', () => {
    expect(() => runClosedLoop({ ...load, kvBlocks: 2 }, options, times, constant)).toThrow(
      'a request needs 3 KV blocks (there are 2)',
    );
  });
});
