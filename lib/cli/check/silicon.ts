import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import Papa from 'papaparse';
import { largestGraphTokens } from '../../serving/cost/cuda-graphs';
import {
  type GemmTable,
  readGemmTable,
  type SiliconFiles,
  siliconCostModel,
} from '../../serving/cost/silicon/silicon-tables';
import { HARDWARE } from '../../serving/presets/hardware';
import { hubModel } from '../../serving/presets/hub-models';
import type { CostModel } from '../../serving/types';
import { runClosedLoop } from '../../serving/vllm-v1/closed-loop';
import { hardwareNamed, plannedBlocks } from './engine-settings';
import { readText } from './read-json-lines';

export const SILICON_USAGE =
  'usage: headroom check silicon --file CSV --tables DIR [--backend NAME]';

/** One measured configuration: its repeats, and their mean. */
export interface SiliconConfiguration {
  readonly backend: string;
  readonly model: string;
  readonly system: string;
  readonly gemm: 'bfloat16' | 'fp8';
  readonly tensorParallel: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly concurrency: number;
  readonly tpotSeconds: readonly number[];
  readonly ttftSeconds: readonly number[];
}

/** Repeats of one configuration may differ by so much; more and it is left out. */
const MOST_DISAGREEMENT = 0.1;
/** Rounds of the closed loop: enough that the first burst is a sixth of the requests. */
const ROUNDS = 6;
/** Default of vLLM's server on 70 GiB and more (`vllm/engine/arg_utils.py`). */
const MAX_BATCHED_TOKENS = 8192;
const MAX_SEQUENCES = 1024;

const NEEDED = [
  'backend',
  'model_path',
  'system',
  'isl',
  'osl',
  'batch_size',
  'tp_size',
  'pp_size',
  'gemm_quant_mode',
  'silicon_ttft_ms',
  'silicon_tpot_ms',
];

/** @throws Error naming file, line and field */
export function readSilicon(file: string, text: string): SiliconConfiguration[] {
  const { data, meta } = Papa.parse<Record<string, string>>(text, {
    header: true,
    skipEmptyLines: true,
  });
  const missing = NEEDED.filter((name) => !meta.fields?.includes(name));
  if (missing.length > 0) throw new Error(`${file}: line 1: missing column ${missing.join(', ')}`);
  const groups = new Map<string, SiliconConfiguration>();
  data.forEach((row, i) => {
    const number = (name: string): number => {
      const value = Number(row[name]);
      if (row[name] === '' || !(value > 0))
        throw new Error(
          `${file}: line ${i + 2}: invalid ${name}: ${JSON.stringify(row[name])} (expected a number above 0)`,
        );
      return value;
    };
    if (number('pp_size') !== 1)
      throw new Error(
        `${file}: line ${i + 2}: pipelines are not modelled (pp_size ${row.pp_size})`,
      );
    const configuration = {
      backend: row.backend ?? '',
      model: row.model_path ?? '',
      system: row.system ?? '',
      gemm: row.gemm_quant_mode === 'fp8' ? 'fp8' : 'bfloat16',
      tensorParallel: number('tp_size'),
      promptTokens: number('isl'),
      outputTokens: number('osl'),
      concurrency: number('batch_size'),
    } as const;
    const key = JSON.stringify([configuration, row.backend_version]);
    const known = groups.get(key);
    const tpot = number('silicon_tpot_ms') / 1e3;
    const ttft = number('silicon_ttft_ms') / 1e3;
    groups.set(key, {
      ...configuration,
      tpotSeconds: [...(known?.tpotSeconds ?? []), tpot],
      ttftSeconds: [...(known?.ttftSeconds ?? []), ttft],
    });
  });
  return [...groups.values()];
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

async function readTable(folder: string, name: string): Promise<string> {
  const packed = await readFile(join(folder, `${name}.csv.gz`)).catch(() => undefined);
  return packed === undefined
    ? readText(join(folder, `${name}.csv`))
    : gunzipSync(packed).toString('utf8');
}

async function readTables(folder: string): Promise<SiliconFiles> {
  return {
    gemm_perf: await readTable(folder, 'gemm_perf'),
    context_attention_perf: await readTable(folder, 'context_attention_perf'),
    generation_attention_perf: await readTable(folder, 'generation_attention_perf'),
    nccl_perf: await readTable(folder, 'nccl_perf'),
  };
}

/** Simulates a configuration and gives its mean TPOT and TTFT in seconds. */
export function simulateConfiguration(
  configuration: SiliconConfiguration,
  costModelOf: (configuration: SiliconConfiguration) => CostModel,
) {
  const { model: name, system, tensorParallel, concurrency } = configuration;
  const model = hubModel(name);
  const hardware = hardwareNamed(system);
  if (model === undefined || hardware === undefined)
    throw new Error(`unknown model or system: ${name} on ${system}`);
  const bytesPerWeight = configuration.gemm === 'fp8' ? 1 : 2;
  const kvBlocks = plannedBlocks({
    model: { ...model, bytesPerWeight },
    hardware,
    tensorParallel,
    blockTokens: 16,
    maxBatchedTokens: MAX_BATCHED_TOKENS,
    maxSequences: 256,
    utilization: 0.9,
  });
  return runClosedLoop(
    {
      concurrency,
      requests: ROUNDS * concurrency,
      promptTokens: configuration.promptTokens,
      outputTokens: configuration.outputTokens,
      kvBlocks,
      blockTokens: 16,
    },
    {
      maxBatchedTokens: MAX_BATCHED_TOKENS,
      maxSequences: MAX_SEQUENCES,
      longPrefillTokens: 0,
      chunkedPrefill: true,
      reservePrompt: true,
      order: 'fcfs',
    },
    { stepsInFlight: 2, stepBoundarySeconds: 0 },
    costModelOf(configuration),
  );
}

/** `check silicon`: prints one JSON line. @returns the exit code */
export async function checkSilicon(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      file: { type: 'string' },
      tables: { type: 'string' },
      backend: { type: 'string' },
    },
  });
  if (values.file === undefined || values.tables === undefined) {
    console.error(SILICON_USAGE);
    return 2;
  }
  const all = readSilicon(values.file, await readText(values.file)).filter(
    ({ backend }) => values.backend === undefined || backend === values.backend,
  );
  const kept = all.filter(
    ({ tpotSeconds }) =>
      Math.max(...tpotSeconds) / Math.min(...tpotSeconds) - 1 <= MOST_DISAGREEMENT,
  );
  if (kept.length === 0) throw new Error(`${values.file}: no configuration is left`);
  const files = await readTables(values.tables);
  const gemms = new Map<string, GemmTable>();
  const models = new Map<string, CostModel>();
  const costModelOf = (configuration: SiliconConfiguration): CostModel => {
    const { model: name, gemm, tensorParallel, system } = configuration;
    const key = JSON.stringify([name, gemm, tensorParallel]);
    const known = models.get(key);
    if (known !== undefined) return known;
    const table = gemms.get(gemm) ?? readGemmTable('gemm_perf', files.gemm_perf, gemm);
    gemms.set(gemm, table);
    const made = siliconCostModel(files, table, {
      model: hubModel(name) ?? failModel(name),
      hardware: hardwareNamed(system) ?? HARDWARE.h100,
      tensorParallel,
      gemm,
      largestGraphTokens: largestGraphTokens(MAX_SEQUENCES, MAX_BATCHED_TOKENS),
      maxTokens: MAX_BATCHED_TOKENS,
    });
    models.set(key, made);
    return made;
  };
  const errors = kept.map((configuration) => {
    const { tpotSeconds, ttftSeconds } = simulateConfiguration(configuration, costModelOf);
    return {
      group: `${configuration.backend} ${configuration.model.split('/').at(-1)} ${configuration.gemm}`,
      tpot: (tpotSeconds / mean(configuration.tpotSeconds) - 1) * 100,
      ttft: (ttftSeconds / mean(configuration.ttftSeconds) - 1) * 100,
    };
  });
  const round = (value: number): number => Math.round(value * 100) / 100;
  const groups = [...new Set(errors.map(({ group }) => group))].map((group) => {
    const tpot = errors.filter((each) => each.group === group).map((each) => each.tpot);
    return [
      group,
      {
        configurations: tpot.length,
        tpotMedianAbsPct: round(median(tpot.map(Math.abs))),
        tpotMedianPct: round(median(tpot)),
      },
    ];
  });
  console.log(
    JSON.stringify({
      tpotMedianAbsPct: round(median(errors.map(({ tpot }) => Math.abs(tpot)))),
      tpotMedianPct: round(median(errors.map(({ tpot }) => tpot))),
      ttftMedianAbsPct: round(median(errors.map(({ ttft }) => Math.abs(ttft)))),
      configurations: kept.length,
      dropped: all.length - kept.length,
      groups: Object.fromEntries(groups),
      costModel: 'silicon tables',
    }),
  );
  return 0;
}

function failModel(name: string): never {
  throw new Error(`unknown model: ${name}`);
}
