import type { HubModel } from '../../presets/hub-models';
import type { CostModel, HardwareSpec } from '../../types';
import { paddedTokens } from '../cuda-graphs';
import { MIXED_ATTENTION } from '../mixed-attention';
import { makeCurve, segmentOf, sumAt, sumAtEverySize, valueAt } from '../op-tables/curve';
import { type Grid, makeGrid } from './grid';
import { readSiliconRows } from './read-rows';

/** Text of AIConfigurator's tables of one accelerator, by name. */
export interface SiliconFiles {
  readonly gemm_perf: string;
  readonly context_attention_perf: string;
  readonly generation_attention_perf: string;
  readonly nccl_perf: string;
}

export interface SiliconOptions {
  readonly model: HubModel;
  readonly hardware: HardwareSpec;
  readonly tensorParallel: number;
  readonly gemm: 'bfloat16' | 'fp8';
  /** Largest batch that runs as a recorded CUDA graph; 0 for none. */
  readonly largestGraphTokens: number;
  /** Tokens up to which the sums are made at once. */
  readonly maxTokens: number;
}

/** Bandwidth share and start-up of operators that only move memory, as AIConfigurator assumes. */
const MEMORY_SHARE = 0.8;
const MEMORY_START_MS = 3e-3;

/** Matrix products of one shape over the tokens, blended from the four sampled shapes around it. */
function gemmOf(
  gemms: ReadonlyMap<string, Map<number, number>>,
  sizes: { n: Float64Array; k: Float64Array },
) {
  const corner = (
    n: number,
    k: number,
    m: number,
    cache: Map<string, ReturnType<typeof makeCurve>>,
  ) => {
    const name = `${n},${k}`;
    let curve = cache.get(name);
    if (curve === undefined) {
      const points = gemms.get(name);
      if (points === undefined) throw new Error(`gemm_perf: no row of n ${n}, k ${k}`);
      curve = makeCurve(`gemm_perf: n ${n}, k ${k}`, [...points.keys()], [...points.values()]);
      cache.set(name, curve);
    }
    return valueAt(curve, m);
  };
  const cache = new Map<string, ReturnType<typeof makeCurve>>();
  const bracket = (axis: Float64Array, value: number): readonly [number, number, number] => {
    const exact = axis.indexOf(value);
    if (exact >= 0) return [value, value, 0];
    const i = segmentOf(axis, value);
    const [low, high] = [axis[i] as number, axis[i + 1] as number];
    return [low, high, (value - low) / (high - low)];
  };
  return (m: number, n: number, k: number): number => {
    const [n0, n1, atN] = bracket(sizes.n, n);
    const [k0, k1, atK] = bracket(sizes.k, k);
    const row = (each: number): number =>
      corner(each, k0, m, cache) * (1 - atK) + (atK === 0 ? 0 : corner(each, k1, m, cache) * atK);
    return row(n0) * (1 - atN) + (atN === 0 ? 0 : row(n1) * atN);
  };
}

/** Sampled matrix products by shape, parsed once for many models. */
export interface GemmTable {
  milliseconds(m: number, n: number, k: number): number;
}

/** @throws Error naming file, line and value */
export function readGemmTable(
  file: string,
  text: string,
  dtype: SiliconOptions['gemm'],
): GemmTable {
  const { rows, columns } = readSiliconRows(file, text, { gemm_dtype: dtype }, [
    'm',
    'n',
    'k',
    'latency',
  ]);
  const { m, n, k, latency } = columns as Record<'m' | 'n' | 'k' | 'latency', Float64Array>;
  const shapes = new Map<string, Map<number, number>>();
  for (let i = 0; i < rows; i++) {
    const name = `${n[i]},${k[i]}`;
    const points = shapes.get(name) ?? new Map<number, number>();
    shapes.set(name, points);
    const size = m[i] as number;
    points.set(size, Math.min(points.get(size) ?? Infinity, latency[i] as number));
  }
  const axis = (column: Float64Array): Float64Array => Float64Array.from(new Set(column)).sort();
  return { milliseconds: gemmOf(shapes, { n: axis(n), k: axis(k) }) };
}

/**
 * Iteration time from AIConfigurator's measured operators: matrix products by shape, prefill and
 * decode attention by heads, NCCL all-reduces (`message_size` in 16-bit elements); what only moves
 * memory takes its bytes at 0.8 of the bandwidth and 3 us, as AIConfigurator has it. The tables
 * have no mixed batches: there attention takes its parts over `MIXED_ATTENTION.partsShare`.
 *
 * @throws Error naming the file and the shape that it lacks
 */
export function siliconCostModel(
  files: SiliconFiles,
  gemms: GemmTable,
  options: SiliconOptions,
): CostModel {
  const { model, hardware, tensorParallel: tp } = options;
  const heads = model.queryHeads / tp;
  const kvHeads = Math.max(1, model.kvHeads / tp);
  const shape = {
    num_heads: heads,
    num_key_value_heads: kvHeads,
    head_dim: model.headSize,
    kv_cache_dtype: 'bfloat16',
    window_size: 0,
  };
  const context = readSiliconRows('context_attention_perf', files.context_attention_perf, shape, [
    'batch_size',
    'isl',
    'latency',
  ]).columns as Record<'batch_size' | 'isl' | 'latency', Float64Array>;
  const prefill = makeGrid(context.batch_size, context.isl, context.latency);
  const generation = readSiliconRows(
    'generation_attention_perf',
    files.generation_attention_perf,
    shape,
    ['batch_size', 'isl', 'step', 'latency'],
  ).columns as Record<'batch_size' | 'isl' | 'step' | 'latency', Float64Array>;
  const decode = makeGrid(
    generation.batch_size,
    generation.isl.map((isl, i) => isl + (generation.step[i] as number)),
    generation.latency,
  );
  const allReduce = tp === 1 ? undefined : readAllReduce(files.nccl_perf, tp);

  const { hiddenSize: hidden, headSize, layers, ffnMatrices } = model;
  const queryWidth = heads * headSize;
  const kvWidth = kvHeads * headSize;
  const ffn = model.ffnSize / tp;
  const memory = (elements: number): number =>
    MEMORY_START_MS + (elements * 2 * 1e3) / (hardware.bandwidthBytesPerSecond * MEMORY_SHARE);
  const sizes = Array.from({ length: options.maxTokens }, (_, i) => i + 1);
  const sampled = sizes.filter((size) => size <= 64 || size % 8 === 0);
  const layer = (tokens: number): number =>
    gemms.milliseconds(tokens, queryWidth + 2 * kvWidth, hidden) +
    gemms.milliseconds(tokens, hidden, queryWidth) +
    gemms.milliseconds(tokens, (ffnMatrices - 1) * ffn, hidden) +
    gemms.milliseconds(tokens, hidden, ffn) +
    2 * memory(4 * tokens * hidden) +
    memory(tokens * 3 * ffn) +
    2 * (allReduce?.at(0, tokens * hidden) ?? 0);
  const dense = makeCurve(
    'dense',
    sampled,
    sampled.map(
      (tokens) =>
        layers * layer(tokens) +
        memory(2 * tokens * hidden) +
        (allReduce?.at(0, tokens * hidden) ?? 0),
    ),
  );
  const denseSums = sumAtEverySize([[dense, 1]], options.maxTokens);
  const headSums = Float64Array.from({ length: 1025 }, (_, sequences) =>
    sequences === 0 ? 0 : gemms.milliseconds(sequences, model.vocabularySize / tp, hidden),
  );
  return {
    kind: 'silicon-tables',
    label: `silicon tables, ${model.label} on ${tp} x ${hardware.label}, ${options.gemm}`,
    source: `AIConfigurator operator tables (milliseconds) from the bound files; ${MIXED_ATTENTION.source}`,
    iterationSeconds(f) {
      const tokens = f.decodeCount + f.prefillTokens;
      let ms = sumAt(denseSums, paddedTokens(tokens, options.largestGraphTokens));
      ms += sumAt(headSums, f.decodeCount + f.prefillCount);
      let attention = 0;
      if (f.decodeCount > 0)
        attention += decode.at(f.decodeCount, f.decodeContextTokens / f.decodeCount);
      // One prompt of the same query-key pairs.
      if (f.prefillTokens > 0) attention += prefill.at(1, Math.sqrt(2 * f.prefillAttentionPairs));
      if (f.decodeCount > 0 && f.prefillTokens > 0) attention /= MIXED_ATTENTION.partsShare;
      return (ms + layers * attention) * 1e-3;
    },
  };
}

function readAllReduce(text: string, tp: number): Grid {
  const { columns } = readSiliconRows(
    'nccl_perf',
    text,
    { op_name: 'all_reduce', nccl_dtype: 'half', num_gpus: tp },
    ['message_size', 'latency'],
  );
  const { message_size: size, latency } = columns as Record<
    'message_size' | 'latency',
    Float64Array
  >;
  return makeGrid(new Float64Array(size.length), size, latency);
}
