import '../../spec/zod-config';
import { basename, join, resolve } from 'node:path';
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
import { atMost, command, countOf, readArguments } from '../command-line';
import { readJsonObject } from './read-text';
import { readMeasuredRun } from './run-folder';
import { readTableFolder } from './table-folder';

export const VLLM_USAGE = `usage: headroom check vllm --run DIR [--tables DIR] [--tokens FILE] [--tp N]
                           [--kv-blocks N] [--model-config FILE] [--gpu NAME]
                           [--profile FILE in place of the tables]`;

function readOptions(args: readonly string[]) {
  const { values, positionals } = readArguments(args, {
    run: { type: 'string' },
    tables: { type: 'string' },
    tokens: { type: 'string' },
    tp: { type: 'string' },
    'kv-blocks': { type: 'string' },
    'model-config': { type: 'string' },
    gpu: { type: 'string' },
    profile: { type: 'string' },
  });
  atMost(positionals, 0);
  if (values.run === undefined) throw new Error('missing --run');
  if (values.profile !== undefined && values.tables !== undefined)
    throw new Error('both --profile and --tables: give one of them');
  return {
    ...values,
    run: values.run,
    tensorParallel: countOf('--tp', values.tp),
    kvBlocks: countOf('--kv-blocks', values['kv-blocks']),
  };
}

/** `check vllm`: prints one JSON line. */
export const checkVllm = command(VLLM_USAGE, readOptions, async (values) => {
  const run = await readMeasuredRun(values.run, values.tokens);
  const files = values.tables === undefined ? undefined : await readTableFolder(values.tables);
  const config = values['model-config'];
  const settings = readEngineSettings(join(values.run, 'meta.json'), run.meta, {
    model:
      config === undefined ? undefined : hubModelOfConfig(config, await readJsonObject(config)),
    tensorParallel: values.tensorParallel,
    kvBlocks: values.kvBlocks,
    // Folders of runs are named after the accelerator.
    gpu: values.gpu ?? gpuOf(files) ?? basename(resolve(values.run)),
  });
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
});
