import { type CsvTable, readCsvTable } from '../cost/op-tables/csv';
import { type Curve, makeCurve, valueAt } from '../cost/op-tables/curve';
import type { OpTableFiles } from '../cost/op-tables/files';
import { raiseToFloor, weightBytesByOperator } from '../cost/op-tables/memory-floor';
import type { LinkSpec } from '../cost/op-tables/op-tables';
import { parseYamlSubset, yamlAt, yamlNumber } from '../cost/op-tables/yaml-subset';
import { hardwareNamed } from '../fidelity/engine-settings';
import { type HubModel, hubModel } from '../presets/hub-models';
import { linkOf } from '../presets/links';
import { modelIdOf } from './model-id';
import type { AttentionSamples, Dropped, OperatorSamples, SizeSamples } from './samples';

/** What the files of a profile do not say. */
export interface TableChoices {
  readonly tensorParallel?: number | undefined;
  /** The model, where `meta.yaml` is not there or names one that is not known. */
  readonly model?: HubModel | undefined;
  /** Name of the accelerator, where the files have none. */
  readonly gpu?: string | undefined;
}

const LAYERWISE = ['layernorm', 'qkv_proj', 'o_proj', 'gate_up_proj', 'down_proj', 'act_fn'];
const PCIE: LinkSpec = {
  bytesPerSecond: 32e9,
  latencySeconds: 10e-6,
  source: 'PCIe 4.0 x16 and 10 us',
};

function curvesOf(table: CsvTable, size: string): ReadonlyMap<string, Curve> {
  const names = table.labels('layer');
  const sizes = table.numbers(size);
  const times = table.numbers('time_us');
  const groups = new Map<string, [number[], number[]]>();
  names.forEach((name, row) => {
    const group = groups.get(name) ?? [[], []];
    groups.set(name, group);
    group[0].push(sizes[row] as number);
    group[1].push(times[row] as number);
  });
  return new Map(
    Array.from(groups, ([name, [at, values]]) => [
      name,
      makeCurve(`${table.file}: ${name}`, at, values),
    ]),
  );
}

/** The sum of curves at the sizes of the first of them. */
function summed(parts: readonly (readonly [Curve, number])[]): SizeSamples {
  const sizes = Array.from(parts[0]?.[0].sizes ?? []);
  return {
    sizes,
    microseconds: sizes.map((size) =>
      parts.reduce((sum, [curve, times]) => sum + times * valueAt(curve, size), 0),
    ),
  };
}

function attentionOf(table: CsvTable): {
  readonly samples: AttentionSamples;
  readonly dropped: readonly Dropped[];
} {
  const isKey = table.has('prefill_key');
  const chunk = table.numbers(table.has('prefill_tokens') ? 'prefill_tokens' : 'prefill_chunk');
  const second = table.numbers(isKey ? 'prefill_key' : 'kv_prefill');
  const decodes = table.numbers('n_decode');
  const context = table.numbers('kv_decode');
  const time = table.numbers('time_us');
  const queries = table.has('decode_q_len') ? table.numbers('decode_q_len') : undefined;
  const columns = {
    prefillTokens: [] as number[],
    prefillContext: [] as number[],
    pairs: [] as number[],
    decodes: [] as number[],
    decodeContext: [] as number[],
    microseconds: [] as number[],
  };
  let several = 0;
  let empty = 0;
  for (let row = 0; row < table.rows; row++) {
    const tokens = chunk[row] as number;
    const count = decodes[row] as number;
    if ((queries?.[row] ?? 1) > 1) {
      several++;
      continue;
    }
    if (tokens === 0 && count === 0) {
      empty++;
      continue;
    }
    const keys = second[row] as number;
    columns.prefillTokens.push(tokens);
    columns.prefillContext.push(isKey ? Math.max(0, keys - tokens / 2) : keys);
    columns.pairs.push(isKey ? tokens * keys : tokens * (keys + tokens / 2));
    columns.decodes.push(count);
    columns.decodeContext.push(count === 0 ? 0 : (context[row] as number));
    columns.microseconds.push(time[row] as number);
  }
  const dropped = [
    { reason: 'several query tokens per decode, as in speculative decoding', rows: several },
    { reason: 'a batch of no tokens', rows: empty },
  ].filter(({ rows }) => rows > 0);
  return { samples: columns, dropped };
}

/**
 * Samples of a profile in LLMServingSim's layout: `dense.csv`, `per_sequence.csv` and
 * `attention.csv`, in `tp<N>/` or beside each other, and `meta.yaml` where it is there. Matrix
 * products are raised to the time of reading their weights where model and accelerator are known.
 * Tables have no all-reduce: above degree 1 it is that of the accelerator's link.
 *
 * @throws Error naming file, column, line or layer
 */
export function samplesFromTables(files: OpTableFiles, choices: TableChoices): OperatorSamples {
  const paths = Object.keys(files);
  const degrees = paths
    .flatMap((path) => /(?:^|\/)tp(\d+)\/dense\.csv$/.exec(path)?.[1] ?? [])
    .map(Number);
  const tp = choices.tensorParallel ?? (degrees.length > 0 ? Math.min(...degrees) : 1);
  const find = (name: string): string | undefined =>
    paths.find((path) => path === `tp${tp}/${name}` || path.endsWith(`/tp${tp}/${name}`)) ??
    paths.find((path) => path === name);
  const missing = ['dense.csv', 'per_sequence.csv', 'attention.csv'].filter(
    (name) => find(name) === undefined,
  );
  if (missing.length > 0) {
    const there =
      degrees.length > 0
        ? `there is tensorParallel ${degrees.join(', ')}`
        : `found ${paths.join(', ') || 'no file'}`;
    throw new Error(
      `operator tables for tensorParallel ${tp}: missing ${missing.join(', ')} (${there})`,
    );
  }
  if (find('moe.csv') !== undefined)
    throw new Error('moe.csv: a profile holds dense models only (use the tables themselves)');
  const read = (name: string, columns: readonly string[]): CsvTable => {
    const path = find(name) as string;
    return readCsvTable(path, files[path] as string, columns);
  };
  const metaPath = paths.find((path) => /(^|\/)meta\.yaml$/.test(path));
  const meta = metaPath === undefined ? {} : parseYamlSubset(metaPath, files[metaPath] as string);
  const named = yamlAt(meta, 'model');
  const model = choices.model ?? (typeof named === 'string' ? hubModel(named) : undefined);
  if (model === undefined)
    throw new Error(
      `unknown model: ${JSON.stringify(named ?? '')} (choose the model that the tables are of)`,
    );
  const gpuName = choices.gpu ?? yamlAt(meta, 'gpu') ?? yamlAt(meta, 'hardware');
  const gpu = typeof gpuName === 'string' ? gpuName : undefined;
  const hardware = hardwareNamed(gpu);

  const denseTable = read('dense.csv', ['layer', 'tokens', 'time_us']);
  const headTable = read('per_sequence.csv', ['layer', 'sequences', 'time_us']);
  const attentionPath = find('attention.csv') as string;
  const header = (files[attentionPath] as string).slice(0, 200).split('\n')[0] ?? '';
  const attentionTable = read('attention.csv', [
    /\bprefill_tokens\b/.test(header) ? 'prefill_tokens' : 'prefill_chunk',
    /\bprefill_key\b/.test(header) ? 'prefill_key' : 'kv_prefill',
    'n_decode',
    'kv_decode',
    'time_us',
  ]);
  const dense = curvesOf(denseTable, 'tokens');
  const heads = curvesOf(headTable, 'sequences');
  const absent = [...LAYERWISE, 'embedding', 'final_layernorm'].filter((name) => !dense.has(name));
  if (absent.length > 0) throw new Error(`${denseTable.file}: missing layer ${absent.join(', ')}`);
  const noHead = ['lm_head', 'sampler'].filter((name) => !heads.has(name));
  if (noHead.length > 0) throw new Error(`${headTable.file}: missing layer ${noHead.join(', ')}`);

  const notes: string[] = [];
  const floor =
    hardware === undefined
      ? undefined
      : {
          bytesPerSecond: hardware.bandwidthBytesPerSecond,
          weightBytes: weightBytesByOperator(model, tp),
        };
  const raised = (name: string, curve: Curve): Curve => {
    const higher = raiseToFloor(name, curve, floor);
    if (higher !== curve) notes.push(`${name} was raised to the time of reading its weights`);
    return higher;
  };
  const one = (name: string): Curve => raised(name, dense.get(name) as Curve);
  const optional = (name: string): (readonly [Curve, number])[] =>
    dense.has(name) ? [[one(name), 1]] : [];
  const { samples: attention, dropped } = attentionOf(attentionTable);
  const link = hardware === undefined ? PCIE : linkOf(hardware);
  if (tp > 1) notes.push(`all-reduce: ${link.source}; not fitted`);
  const ringBytes = ((2 * (tp - 1)) / tp) * model.hiddenSize * model.bytesPerWeight;
  const alone = (name: string): SizeSamples => summed([[one(name), 1]]);
  const pooled = yamlNumber(meta, 'skew_fit', 'per_tp', String(tp), 'alpha_default');
  const usedRows = denseTable.rows + headTable.rows + attention.microseconds.length;
  const what = `${model.label}${gpu === undefined ? '' : ` on ${tp} x ${gpu}`}`;
  return {
    label: what.slice(0, 200),
    source: `operator tables in LLMServingSim's layout, ${usedRows} rows`,
    model: modelIdOf(model),
    layers: model.layers,
    tensorParallel: tp,
    layer: {
      qkv: alone('qkv_proj'),
      attentionOutput: alone('o_proj'),
      gateUp: alone('gate_up_proj'),
      down: alone('down_proj'),
      elementwise: summed([
        [one('layernorm'), 2],
        [one('act_fn'), 1],
        ...optional('rotary_emb'),
        ...optional('qk_norm'),
      ]),
    },
    once: summed([
      [one('embedding'), 1],
      [one('final_layernorm'), 1],
    ]),
    head: summed([
      [raised('lm_head', heads.get('lm_head') as Curve), 1],
      [heads.get('sampler') as Curve, 1],
    ]),
    attention,
    skewWeight: Math.min(1, Math.max(0, pooled ?? 0)),
    allReduce:
      tp > 1
        ? {
            baseMicroseconds: link.latencySeconds * 1e6,
            perTokenMicroseconds: (ringBytes / link.bytesPerSecond) * 1e6,
          }
        : { baseMicroseconds: 0, perTokenMicroseconds: 0 },
    assumed: [],
    usedRows,
    dropped,
    notes,
  };
}
