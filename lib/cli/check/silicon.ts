import { hardwareNamed, plannedBlocks } from '../../serving/fidelity/engine-settings';
import { hubModel } from '../../serving/presets/hub-models';
import type { CostModel } from '../../serving/types';
import { runClosedLoop } from '../../serving/vllm-v1/closed-loop';
import { atMost, command, readArguments } from '../command-line';
import { readSilicon, type SiliconConfiguration } from './read-silicon';
import { readText } from './read-text';
import {
  createSiliconModels,
  MAX_BATCHED_TOKENS,
  MAX_SEQUENCES,
  readTables,
  tablesBeside,
} from './silicon-models';

export const SILICON_USAGE = `usage: headroom check silicon --file CSV [--tables DIR|none] [--backend NAME]
       (without --tables: those in ../op-tables beside the file; none: calibrated)`;

/** Repeats of one configuration may differ by so much; more and it is left out. */
const MOST_DISAGREEMENT = 0.1;
/** Rounds of the closed loop: enough that the first burst is a sixth of the requests. */
const ROUNDS = 6;
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
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

export interface SiliconOptions {
  readonly file: string;
  /** Folder of operator tables, or `none`; those beside the file unless given. */
  readonly tables?: string | undefined;
  readonly backend?: string | undefined;
}

/** Errors of simulated closed loops against a file of measured ones. @throws Error naming the file */
export async function siliconReport(values: SiliconOptions) {
  const all = readSilicon(values.file, await readText(values.file)).filter(
    ({ backend }) => values.backend === undefined || backend === values.backend,
  );
  const kept = all.filter(
    ({ tpotSeconds }) =>
      Math.max(...tpotSeconds) / Math.min(...tpotSeconds) - 1 <= MOST_DISAGREEMENT,
  );
  if (kept.length === 0) throw new Error(`${values.file}: no configuration is left`);
  const folder = values.tables ?? (await tablesBeside(values.file, kept[0]?.system ?? ''));
  const files = folder === undefined || folder === 'none' ? undefined : await readTables(folder);
  const costModelOf = createSiliconModels(files);
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
  return {
    tpotMedianAbsPct: round(median(errors.map(({ tpot }) => Math.abs(tpot)))),
    tpotMedianPct: round(median(errors.map(({ tpot }) => tpot))),
    ttftMedianAbsPct: round(median(errors.map(({ ttft }) => Math.abs(ttft)))),
    configurations: kept.length,
    dropped: all.length - kept.length,
    groups: Object.fromEntries(groups),
    costModel: files === undefined ? 'calibrated' : 'silicon tables',
  };
}

function readOptions(args: readonly string[]): SiliconOptions {
  const { values, positionals } = readArguments(args, {
    file: { type: 'string' },
    tables: { type: 'string' },
    backend: { type: 'string' },
  });
  atMost(positionals, 0);
  if (values.file === undefined) throw new Error('missing --file');
  return { ...values, file: values.file };
}

/** `check silicon`: prints one JSON line. */
export const checkSilicon = command(SILICON_USAGE, readOptions, async (options) => {
  console.log(JSON.stringify(await siliconReport(options)));
  return 0;
});
