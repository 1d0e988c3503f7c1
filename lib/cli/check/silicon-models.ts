import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { calibratedCostModel, calibrationOf } from '../../serving/cost/calibrated';
import { largestGraphTokens } from '../../serving/cost/cuda-graphs';
import {
  type GemmTable,
  readGemmTable,
  type SiliconFiles,
  siliconCostModel,
} from '../../serving/cost/silicon/silicon-tables';
import { hardwareNamed } from '../../serving/fidelity/engine-settings';
import { hubModel } from '../../serving/presets/hub-models';
import { linkOf } from '../../serving/presets/links';
import type { CostModel } from '../../serving/types';
import type { SiliconConfiguration } from './read-silicon';
import { readText } from './read-text';

/** Default of vLLM's server on 70 GiB and more (`vllm/engine/arg_utils.py`). */
export const MAX_BATCHED_TOKENS = 8192;
export const MAX_SEQUENCES = 1024;

async function readTable(folder: string, name: string): Promise<string> {
  const packed = await readFile(join(folder, `${name}.csv.gz`)).catch(() => undefined);
  return packed === undefined
    ? readText(join(folder, `${name}.csv`))
    : gunzipSync(packed).toString('utf8');
}

/** AIConfigurator's tables of a folder, plain or gzip. @throws Error naming the file that is not there */
export async function readTables(folder: string): Promise<SiliconFiles> {
  return {
    gemm_perf: await readTable(folder, 'gemm_perf'),
    context_attention_perf: await readTable(folder, 'context_attention_perf'),
    generation_attention_perf: await readTable(folder, 'generation_attention_perf'),
    nccl_perf: await readTable(folder, 'nccl_perf'),
  };
}

/**
 * The folder of tables that stands beside a file of measurements: `../op-tables/<accelerator>-*`
 * with a `gemm_perf` in it. Undefined where there is none.
 *
 * @param system such as `h100_sxm`
 */
export async function tablesBeside(file: string, system: string): Promise<string | undefined> {
  const above = join(dirname(resolve(file)), '..', 'op-tables');
  const accelerator = system.split('_')[0] ?? system;
  const folders = await readdir(above).catch(() => []);
  for (const name of folders.filter((each) => each.startsWith(`${accelerator}-`))) {
    const files = await readdir(join(above, name)).catch(() => []);
    if (files.some((each) => each.startsWith('gemm_perf.csv'))) return join(above, name);
  }
  return undefined;
}

/**
 * Cost models of configurations, one for each model, precision and degree: from tables, or without
 * them calibrated.
 *
 * @throws Error naming the model or system that is not known, or what the tables lack
 */
export function createSiliconModels(
  files: SiliconFiles | undefined,
): (configuration: SiliconConfiguration) => CostModel {
  const gemms = new Map<string, GemmTable>();
  const models = new Map<string, CostModel>();

  function make({ model: name, gemm, tensorParallel, system }: SiliconConfiguration): CostModel {
    const model = hubModel(name);
    const hardware = hardwareNamed(system);
    if (model === undefined || hardware === undefined)
      throw new Error(`unknown model or system: ${name} on ${system}`);
    const graphTokens = largestGraphTokens(MAX_SEQUENCES, MAX_BATCHED_TOKENS);
    if (files === undefined) {
      const isFp8 = gemm === 'fp8';
      return calibratedCostModel(
        { ...model, bytesPerWeight: isFp8 ? 1 : 2 },
        hardware,
        calibrationOf(hardware),
        {
          tensorParallel,
          link: linkOf(hardware),
          largestGraphTokens: graphTokens,
          // Data sheets double the matrix peak with every halving of the element.
          matrixSpeedup: isFp8 ? 2 : 1,
        },
      );
    }
    const table = gemms.get(gemm) ?? readGemmTable('gemm_perf', files.gemm_perf, gemm);
    gemms.set(gemm, table);
    return siliconCostModel(files, table, {
      model,
      hardware,
      tensorParallel,
      gemm,
      largestGraphTokens: graphTokens,
      maxTokens: MAX_BATCHED_TOKENS,
    });
  }

  return (configuration) => {
    const { model, gemm, tensorParallel, system } = configuration;
    const key = JSON.stringify([model, gemm, tensorParallel, system]);
    const made = models.get(key) ?? make(configuration);
    models.set(key, made);
    return made;
  };
}
