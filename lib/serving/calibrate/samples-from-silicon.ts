import { readSiliconRows } from '../cost/silicon/read-rows';
import { readGemmTable } from '../cost/silicon/silicon-tables';
import { hardwareNamed } from '../fidelity/engine-settings';
import type { HubModel } from '../presets/hub-models';
import { fitNonNegative } from './least-squares';
import { modelIdOf } from './model-id';
import type { AttentionSamples, OperatorSamples, SizeSamples } from './samples';

/** AIConfigurator's tables of one accelerator, by name: text of each. */
export type SiliconTexts = Readonly<
  Partial<
    Record<
      'gemm_perf' | 'context_attention_perf' | 'generation_attention_perf' | 'nccl_perf',
      string
    >
  >
>;

export interface SiliconChoices {
  readonly model: HubModel | undefined;
  readonly tensorParallel: number;
  readonly gemm: 'bfloat16' | 'fp8';
  readonly gpu?: string | undefined;
}

/** Largest batch of tokens and longest context that the fit looks at: beyond them no server runs. */
const MOST_TOKENS = 16_384;
const MOST_CONTEXT = 131_072;
/** Of operators that only move memory AIConfigurator takes the bytes at 0.8 of the bandwidth and 3 us. */
const MEMORY_SHARE = 0.8;
const MEMORY_START_MICROSECONDS = 3;

function deviceOf(text: string): string | undefined {
  const [header = '', first = ''] = text.slice(0, 2000).split('\n');
  const at = header.trim().split(',').indexOf('device');
  return at < 0 ? undefined : first.split(',')[at];
}

/**
 * Samples of one model and tensor-parallel degree from AIConfigurator's columns: matrix products by
 * shape (`m, n, k, latency` in milliseconds), attention by heads (`batch_size, isl, step`), NCCL
 * all-reduces (`message_size` in 16-bit elements). What only moves memory follows AIConfigurator's
 * rule and is not measured; mixed batches are not there either.
 *
 * @throws Error naming the file that is missing, or file, line and value, or the shape that no row has
 */
export function samplesFromSilicon(texts: SiliconTexts, choices: SiliconChoices): OperatorSamples {
  const { model, tensorParallel: tp } = choices;
  if (model === undefined)
    throw new Error('unknown model: choose the model whose shapes are looked up in the tables');
  if (model.experts !== undefined)
    throw new Error(`${model.label} has experts: a profile holds dense models only`);
  const text = (name: keyof SiliconTexts): string => {
    const found = texts[name];
    if (found === undefined) {
      const there = Object.keys(texts).join(', ') || 'none';
      throw new Error(`missing ${name}.csv (found ${there})`);
    }
    return found;
  };
  const gemmText = text('gemm_perf');
  const gpu = choices.gpu ?? deviceOf(gemmText);
  const hardware = hardwareNamed(gpu);
  if (hardware === undefined)
    throw new Error(
      `unknown gpu: ${JSON.stringify(gpu ?? '')} (its bandwidth is needed for what only moves memory)`,
    );
  const gemms = readGemmTable('gemm_perf.csv', gemmText, choices.gemm);
  const { columns, rows: gemmRows } = readSiliconRows(
    'gemm_perf.csv',
    gemmText,
    { gemm_dtype: choices.gemm },
    ['m', 'n'],
  );
  const { m, n } = columns as Record<'m' | 'n', Float64Array>;
  const sizes = [...new Set(m)].filter((size) => size <= MOST_TOKENS).sort((a, b) => a - b);
  const widest = n.reduce((most, each) => Math.max(most, each), 1);
  const product = (outputs: number, inputs: number, most = MOST_TOKENS): SizeSamples => {
    const own = sizes.filter((size) => size <= most);
    // A head is wider than any sample: equal parts of it are not.
    const parts = Math.ceil(outputs / widest);
    return {
      sizes: own,
      microseconds: own.map(
        (size) => parts * gemms.milliseconds(size, outputs / parts, inputs) * 1e3,
      ),
    };
  };
  const memory = (elements: number): number =>
    MEMORY_START_MICROSECONDS +
    (elements * 2 * 1e6) / (hardware.bandwidthBytesPerSecond * MEMORY_SHARE);
  const moved = (elementsOf: (size: number) => number): SizeSamples => ({
    sizes,
    microseconds: sizes.map(elementsOf),
  });

  const { hiddenSize: hidden, headSize, ffnMatrices } = model;
  const heads = model.queryHeads / tp;
  const kvHeads = Math.max(1, model.kvHeads / tp);
  const ffn = model.ffnSize / tp;
  const shape = {
    num_heads: heads,
    num_key_value_heads: kvHeads,
    head_dim: headSize,
    kv_cache_dtype: 'bfloat16',
    window_size: 0,
  };
  const context = readSiliconRows(
    'context_attention_perf.csv',
    text('context_attention_perf'),
    shape,
    ['batch_size', 'isl', 'latency'],
  );
  const generation = readSiliconRows(
    'generation_attention_perf.csv',
    text('generation_attention_perf'),
    shape,
    ['batch_size', 'isl', 'step', 'latency'],
  );
  const attention = {
    prefillTokens: [] as number[],
    prefillContext: [] as number[],
    pairs: [] as number[],
    decodes: [] as number[],
    decodeContext: [] as number[],
    microseconds: [] as number[],
  } satisfies AttentionSamples;
  let beyond = 0;
  const add = (tokens: number, pairs: number, decodes: number, kv: number, ms: number): void => {
    if (!(ms > 0)) return;
    if (tokens > MOST_TOKENS || kv > MOST_CONTEXT) {
      beyond++;
      return;
    }
    attention.prefillTokens.push(tokens);
    attention.prefillContext.push(0);
    attention.pairs.push(pairs);
    attention.decodes.push(decodes);
    attention.decodeContext.push(kv);
    attention.microseconds.push(ms * 1e3);
  };
  const cell = (column: Float64Array | undefined, row: number): number => column?.[row] ?? 0;
  for (let row = 0; row < context.rows; row++) {
    const { batch_size, isl, latency } = context.columns;
    const length = cell(isl, row);
    const batch = cell(batch_size, row);
    add(batch * length, (batch * length ** 2) / 2, 0, 0, cell(latency, row));
  }
  for (let row = 0; row < generation.rows; row++) {
    const { batch_size, isl, step, latency } = generation.columns;
    add(0, 0, cell(batch_size, row), cell(isl, row) + cell(step, row), cell(latency, row));
  }
  const notes = [
    'norms, rotation, activation and embedding follow the rule of AIConfigurator (bytes at 0.8 of the bandwidth, 3 us) and are not measured',
  ];
  const usedRows = gemmRows + attention.microseconds.length;
  return {
    label: `${model.label} on ${tp} x ${gpu}`.slice(0, 200),
    source: `operator tables in AIConfigurator's columns, ${choices.gemm}, ${usedRows} rows`,
    model: modelIdOf(model),
    layers: model.layers,
    tensorParallel: tp,
    layer: {
      qkv: product((heads + 2 * kvHeads) * headSize, hidden),
      attentionOutput: product(hidden, heads * headSize),
      gateUp: product((ffnMatrices - 1) * ffn, hidden),
      down: product(hidden, ffn),
      elementwise: moved((size) => 2 * memory(4 * size * hidden) + memory(size * 3 * ffn)),
    },
    once: moved((size) => memory(2 * size * hidden)),
    head: product(model.vocabularySize / tp, hidden, 1024),
    attention,
    skewWeight: 0,
    allReduce:
      tp === 1
        ? { baseMicroseconds: 0, perTokenMicroseconds: 0 }
        : allReduceOf(text('nccl_perf'), tp, hidden),
    usedRows,
    assumed: ['elementwise', 'once'],
    dropped:
      beyond === 0
        ? []
        : [{ reason: `above ${MOST_TOKENS} tokens or ${MOST_CONTEXT} of context`, rows: beyond }],
    notes,
  };
}

/** The line through the all-reduces of up to `MOST_TOKENS` tokens of the hidden size. */
function allReduceOf(text: string, tp: number, hidden: number) {
  const { columns, rows } = readSiliconRows(
    'nccl_perf.csv',
    text,
    { op_name: 'all_reduce', nccl_dtype: 'half', num_gpus: tp },
    ['message_size', 'latency'],
  );
  const points = Array.from({ length: rows }, (_, row) => ({
    tokens: (columns.message_size?.[row] ?? 0) / hidden,
    microseconds: (columns.latency?.[row] ?? 0) * 1e3,
  })).filter(({ tokens, microseconds }) => tokens <= MOST_TOKENS && microseconds > 0);
  const [base = 0, slope = 0] = fitNonNegative(
    [points.map(() => 1), points.map(({ tokens }) => tokens)],
    points.map(({ microseconds }) => microseconds),
  );
  return { baseMicroseconds: base, perTokenMicroseconds: slope };
}
