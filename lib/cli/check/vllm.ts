import '../../spec/zod-config';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readProfileFile } from '../../serving/calibrate/profile-file';
import { readEngineSettings } from '../../serving/fidelity/engine-settings';
import {
  analyticCostModel,
  compareRun,
  fittedCostModelOf,
  gpuOf,
  mismatch,
  paramsOf,
  tablesCostModel,
} from '../../serving/fidelity/replay-run';
import { hubModelOfConfig } from '../../serving/presets/hub-models';
import { readJsonObject } from './read-text';
import { readMeasuredRun } from './run-folder';
import { readTableFolder } from './table-folder';

export const VLLM_USAGE = `usage: headroom check vllm --run DIR [--tables DIR] [--tokens FILE] [--tp N]
                           [--kv-blocks N] [--model-config FILE] [--gpu NAME]
                           [--profile FILE in place of the tables]`;

function readCount(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`invalid --${name}: ${text} (expected an integer from 1)`);
  return value;
}

/** `check vllm`: prints one JSON line. @returns the exit code: 0, or 2 for a wrong command line */
export async function checkVllm(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      run: { type: 'string' },
      tables: { type: 'string' },
      tokens: { type: 'string' },
      tp: { type: 'string' },
      'kv-blocks': { type: 'string' },
      'model-config': { type: 'string' },
      gpu: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  if (values.run === undefined) {
    console.error(VLLM_USAGE);
    return 2;
  }
  const run = await readMeasuredRun(values.run, values.tokens);
  const files = values.tables === undefined ? undefined : await readTableFolder(values.tables);
  const config = values['model-config'];
  const settings = readEngineSettings(join(values.run, 'meta.json'), run.meta, {
    model:
      config === undefined ? undefined : hubModelOfConfig(config, await readJsonObject(config)),
    tensorParallel: readCount('tp', values.tp),
    kvBlocks: readCount('kv-blocks', values['kv-blocks']),
    // Folders of runs are named after the accelerator.
    gpu: values.gpu ?? gpuOf(files) ?? basename(resolve(values.run)),
  });
  if (values.profile !== undefined && files !== undefined)
    throw new Error('both --profile and --tables: give one of them');
  const profile =
    values.profile === undefined
      ? undefined
      : readProfileFile(values.profile, await readJsonObject(values.profile));
  const costModel =
    profile !== undefined
      ? fittedCostModelOf(profile, settings)
      : files === undefined
        ? analyticCostModel(settings)
        : tablesCostModel(files, settings);
  const check = compareRun(run, paramsOf(settings), costModel);
  const notes = [...settings.notes, ...mismatch(files, run.meta), ...check.notes];
  console.log(JSON.stringify({ ...check, notes }));
  return 0;
}
