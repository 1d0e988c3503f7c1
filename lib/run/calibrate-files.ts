import {
  type CalibrationInput,
  type CalibrationResult,
  fitProfile,
  fittedBefore,
} from '../serving/calibrate/fit-profile';
import { isProfileFile, readProfileFile } from '../serving/calibrate/profile-file';
import { isOpTableFile } from '../serving/cost/op-tables/bundle';
import { readEngineSettings } from '../serving/fidelity/engine-settings';
import { parseObject } from '../serving/fidelity/json-lines';
import { paramsOf } from '../serving/fidelity/replay-run';
import { sortFiles } from '../serving/fidelity/sort-files';
import { type HubModel, hubModelOfConfig } from '../serving/presets/hub-models';
import { MODELS } from '../serving/presets/models';
import { serveParams } from '../spec/kinds/serve';
import type { ModelId } from '../spec/presets';
import { fileText, type NamedFile } from './file-text';
import { finishSliced } from './sliced';
import type { OnProgress } from './worker-api';

/** What the files do not say. */
export interface CalibrateChoices {
  readonly model?: ModelId | undefined;
  readonly tensorParallel?: number | undefined;
  readonly gpu?: string | undefined;
  /** Which matrix products of AIConfigurator's table. */
  readonly gemm?: 'bfloat16' | 'fp8' | undefined;
  /** The engine that wrote a log, where no `meta.json` says it. */
  readonly maxBatchedTokens?: number | undefined;
  readonly maxSequences?: number | undefined;
  readonly kvBlocks?: number | undefined;
}

const SILICON = /(?:^|\/)(gemm|context_attention|generation_attention|nccl)_perf\.csv(\.gz)?$/;
/** Blocks where nobody says how many: more than any load of a log needs. */
const MANY_BLOCKS = 100_000;

async function modelOf(
  config: NamedFile | undefined,
  choices: CalibrateChoices,
): Promise<HubModel | undefined> {
  if (config !== undefined)
    return hubModelOfConfig(config.path, parseObject(await fileText(config), config.path));
  return choices.model === undefined ? undefined : MODELS[choices.model];
}

async function textsOf(files: ReadonlyMap<string, NamedFile>): Promise<Record<string, string>> {
  const texts = await Promise.all(
    [...files].map(async ([name, file]) => [name, await fileText(file)] as const),
  );
  return Object.fromEntries(texts);
}

/** The sentence for files none of which can be fitted: it names columns, where there is a table. */
async function unknownFiles(files: readonly NamedFile[]): Promise<Error> {
  const expected =
    'expected dense.csv, per_sequence.csv and attention.csv, or gemm_perf.csv and its neighbours, or a log of requests (.jsonl)';
  const table = files.find(({ path }) => /\.csv(\.gz)?$/.test(path));
  if (table === undefined)
    return new Error(`found ${files.map(({ path }) => path).join(', ') || 'no file'}: ${expected}`);
  const header = (await fileText(table)).split('\n')[0]?.trim().slice(0, 200) ?? '';
  return new Error(
    header === ''
      ? `${table.path}: the file is empty: ${expected}`
      : `${table.path}: the columns ${header} are of no table that can be fitted: ${expected}`,
  );
}

async function logInput(
  log: NamedFile,
  meta: NamedFile | undefined,
  model: HubModel | undefined,
  choices: CalibrateChoices,
): Promise<CalibrationInput> {
  const text = await fileText(log);
  const { tensorParallel, kvBlocks, gpu, maxBatchedTokens, maxSequences } = choices;
  if (meta !== undefined) {
    const settings = readEngineSettings(
      meta.path,
      parseObject(await fileText(meta), meta.path),
      // Folders of runs are named after the accelerator.
      { model, tensorParallel, kvBlocks, gpu: gpu ?? meta.path.split('/').at(-2) },
    );
    const { label } = settings.model;
    const where = settings.hardware === undefined ? '' : ` on ${settings.hardware.label}`;
    return { type: 'log', path: log.path, text, engine: paramsOf(settings), label: label + where };
  }
  const engine = serveParams.parse({
    strategy: {
      type: 'vllm-v1',
      ...(maxBatchedTokens === undefined ? {} : { maxBatchedTokens }),
      ...(maxSequences === undefined ? {} : { maxSequences }),
    },
    memory: { kvBlocks: kvBlocks ?? MANY_BLOCKS },
    horizonSeconds: 1e7,
  });
  const label = [model?.label, gpu].filter((part) => part !== undefined).join(' on ');
  return { type: 'log', path: log.path, text, engine, label: label || `engine of ${log.path}` };
}

/** Tells the files apart by name and reads them. @throws Error with one sentence */
async function inputOf(
  files: readonly NamedFile[],
  choices: CalibrateChoices,
): Promise<CalibrationInput | undefined> {
  const silicon = new Map(
    files.flatMap((file) => {
      const name = SILICON.exec(file.path)?.[1];
      return name === undefined ? [] : [[`${name}_perf`, file] as const];
    }),
  );
  const sorted = sortFiles(files.filter(({ path }) => !SILICON.test(path)));
  const tables = new Map([...sorted.tables].filter(([name]) => isOpTableFile(name)));
  const log = sorted.requests ?? sorted.tokens;
  const hasTables = [...tables.keys()].some((name) => !name.endsWith('meta.yaml'));
  const kinds = [
    ...(hasTables ? ['operator tables'] : []),
    ...(silicon.size > 0 ? ["AIConfigurator's tables"] : []),
    ...(log === undefined ? [] : ['a log of requests']),
  ];
  if (kinds.length > 1) throw new Error(`found ${kinds.join(' and ')}: choose the files of one`);
  const model = await modelOf(sorted.modelConfig, choices);
  const { tensorParallel, gpu } = choices;
  if (hasTables) {
    const found = await textsOf(tables);
    return { type: 'tables', files: found, choices: { model, tensorParallel, gpu } };
  }
  if (silicon.size > 0) {
    const { gemm = 'bfloat16' } = choices;
    return {
      type: 'silicon',
      texts: await textsOf(silicon),
      choices: { model, tensorParallel: tensorParallel ?? 1, gemm, gpu },
    };
  }
  return log === undefined ? undefined : logInput(log, sorted.meta, model, choices);
}

/** The saved profile among the files, if there is one. */
async function savedProfile(files: readonly NamedFile[]): Promise<CalibrationResult | undefined> {
  for (const file of files.filter(({ path }) => path.endsWith('.json'))) {
    const text = await fileText(file);
    const value = parseObject(text, file.path);
    if (isProfileFile(value)) return fittedBefore(readProfileFile(file.path, value));
  }
  return undefined;
}

/**
 * Fits a profile to chosen files, in slices; a profile that was saved is read again.
 * @throws Error with one sentence that names file, column, line or value; AbortError when cancelled
 */
export async function calibrateFiles(
  files: readonly NamedFile[],
  choices: CalibrateChoices,
  signal: AbortSignal,
  onProgress: OnProgress,
): Promise<CalibrationResult> {
  onProgress({ fraction: undefined, phase: 'reading' });
  const input = await inputOf(files, choices);
  if (input === undefined) {
    const saved = await savedProfile(files);
    if (saved !== undefined) return saved;
    throw await unknownFiles(files);
  }
  return finishSliced(fitProfile(input), signal, (fraction) =>
    onProgress({ fraction, phase: 'fitting' }),
  );
}
