import type { CalibrationResult } from '../serving/calibrate/fit-profile';
import { readEngineSettings } from '../serving/fidelity/engine-settings';
import { parseObject } from '../serving/fidelity/json-lines';
import { type MeasuredRun, measuredRun, parseRunRows } from '../serving/fidelity/measured-run';
import {
  analyticCostModel,
  gpuOf,
  mismatch,
  paramsOf,
  replayRun,
  type Times,
  tablesCostModel,
  type VllmCheck,
} from '../serving/fidelity/replay-run';
import { sortFiles } from '../serving/fidelity/sort-files';
import { checkVidurRun, type VidurCheck } from '../serving/fidelity/vidur-parity';
import { hubModelOfConfig } from '../serving/presets/hub-models';
import { type CalibrateChoices, calibrateFiles } from './calibrate-files';
import type { NamedFile } from './file-text';
import { readTables, throttled } from './simulation-jobs';
import type { Cancellable, OnProgress } from './worker-api';

export type CheckedFile = NamedFile;

/** What a run's files do not say. */
export interface CheckChoices {
  readonly tensorParallel?: number | undefined;
  readonly kvBlocks?: number | undefined;
  readonly gpu?: string | undefined;
}

/** A run replayed, request by request. */
export interface RunComparison {
  readonly check: VllmCheck;
  readonly hasTables: boolean;
  readonly arrivalSeconds: Float64Array;
  readonly outputTokens: Int32Array;
  readonly measured: Times;
  readonly simulated: Times;
}

/** Replays of measured and reference runs: a worker of its own, the code of `headroom check`. */
export interface CheckApi extends Cancellable {
  /** @throws Error naming file, line and field */
  vllm(
    jobId: number,
    files: readonly CheckedFile[],
    choices: CheckChoices,
    onProgress: OnProgress,
  ): Promise<RunComparison>;
  /** A reference run of Vidur and its tables, told apart by what is in them. */
  vidur(jobId: number, files: readonly CheckedFile[]): Promise<VidurCheck>;
  /** Fits a hardware profile to tables or a log. @throws Error with one sentence, AbortError */
  calibrate(
    jobId: number,
    files: readonly NamedFile[],
    choices: CalibrateChoices,
    onProgress: OnProgress,
  ): Promise<CalibrationResult>;
}

async function textOf({ path, file }: CheckedFile): Promise<{ path: string; text: string }> {
  try {
    return {
      path,
      text: new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer()),
    };
  } catch (error) {
    throw new Error(
      error instanceof TypeError
        ? `${path}: the file is not UTF-8 text`
        : `${path}: cannot read the file`,
    );
  }
}

async function compareVllm(
  files: readonly CheckedFile[],
  choices: CheckChoices,
): Promise<RunComparison> {
  const sorted = sortFiles(files);
  const { meta, requests, tokens, modelConfig } = sorted;
  if (meta === undefined || requests === undefined)
    throw new Error(
      `missing ${[meta ?? 'meta.json', requests ?? 'requests.jsonl'].filter((each) => typeof each === 'string').join(' and ')}: choose the folder of a run`,
    );
  const metaText = await textOf(meta);
  const folder = meta.path.split('/').at(-2) ?? '';
  const run: MeasuredRun = measuredRun(
    folder,
    parseObject(metaText.text, meta.path),
    parseRunRows(await textOf(requests)),
    tokens === undefined ? undefined : await textOf(tokens),
  );
  const config = modelConfig === undefined ? undefined : await textOf(modelConfig);
  const texts = await Promise.all(
    [...sorted.tables].map(async ([name, file]) => [name, (await textOf(file)).text] as const),
  );
  const tables = texts.length === 0 ? undefined : Object.fromEntries(texts);
  const settings = readEngineSettings(meta.path, run.meta, {
    ...choices,
    model:
      config === undefined
        ? undefined
        : hubModelOfConfig(config.path, parseObject(config.text, config.path)),
    // Folders of runs are named after the accelerator.
    gpu: choices.gpu ?? gpuOf(tables) ?? folder,
  });
  const costModel =
    tables === undefined ? analyticCostModel(settings) : tablesCostModel(tables, settings);
  const { check, simulated } = replayRun(run, paramsOf(settings), costModel);
  const ignored = sorted.ignored.length + sorted.json.length;
  const notes = [
    ...settings.notes,
    ...mismatch(tables, run.meta),
    ...check.notes,
    ...(ignored > 0 ? [`${ignored} other files were not read`] : []),
  ];
  return {
    check: { ...check, notes },
    hasTables: tables !== undefined,
    arrivalSeconds: run.arrivalSeconds,
    outputTokens: run.outputTokens,
    measured: run,
    simulated,
  };
}

async function parsedJson({ path, file }: CheckedFile): Promise<unknown> {
  try {
    return await readTables(file);
  } catch {
    throw new Error(`${path}: expected JSON, plain or gzip`);
  }
}

async function compareVidur(files: readonly CheckedFile[]): Promise<VidurCheck> {
  const { json } = sortFiles(files);
  const parsed = await Promise.all(json.map(parsedJson));
  const isRun = (value: unknown) =>
    typeof value === 'object' && value !== null && 'result_columns' in value;
  const runs = parsed.filter(isRun);
  const tables = parsed.filter((value) => !isRun(value));
  if (runs.length !== 1 || tables.length !== 1)
    throw new Error(
      `found ${runs.length} reference runs and ${tables.length} tables (expected one JSON file of each)`,
    );
  return checkVidurRun(tables[0], runs[0]);
}

export function createCheckService(): CheckApi {
  const fits = new Map<number, AbortController>();
  return {
    async calibrate(jobId, files, choices, onProgress) {
      const controller = new AbortController();
      fits.set(jobId, controller);
      try {
        return await calibrateFiles(files, choices, controller.signal, throttled(onProgress));
      } finally {
        fits.delete(jobId);
      }
    },
    async vllm(_jobId, files, choices, onProgress) {
      onProgress({ fraction: undefined, phase: 'reading and replaying' });
      const { measured, ...rest } = await compareVllm(files, choices);
      // A run holds more than its times, and some of it is large.
      const { firstTokenSeconds, lastTokenSeconds } = measured;
      return { ...rest, measured: { firstTokenSeconds, lastTokenSeconds } };
    },
    vidur: (_jobId, files) => compareVidur(files),
    // A fit stops; one replay takes less than the time in which a worker must answer; its result is dropped.
    cancel: (jobId) => fits.get(jobId)?.abort(),
  };
}
