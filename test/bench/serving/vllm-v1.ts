import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readTableFolder } from '../../../lib/cli/check/table-folder';
import { createSimulation } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { readOpTables } from '../../../lib/serving/cost/op-tables/files';
import { opTablesCostModel } from '../../../lib/serving/cost/op-tables/op-tables';
import { HARDWARE } from '../../../lib/serving/presets/hardware';
import { linkOf } from '../../../lib/serving/presets/links';
import { MODELS } from '../../../lib/serving/presets/models';
import type { CostModel } from '../../../lib/serving/types';
import { serveParams } from '../../../lib/spec/kinds/serve';
import type { Workload } from '../../../lib/workload/types';
import { sharedPrefixWorkload } from './shared-prefix-load';

const TABLES = new URL(
  '../../../../shared/data/op-tables/rtxpro6000-llama-3.1-8b/tp1',
  import.meta.url,
);

/** The model of the measured tables, or undefined where they are absent. */
async function tablesModel(): Promise<(() => CostModel) | undefined> {
  if (!existsSync(TABLES)) return undefined;
  const files = await readTableFolder(fileURLToPath(TABLES));
  const model = MODELS['llama-3.1-8b'];
  return () =>
    opTablesCostModel(readOpTables(files, 1), {
      layers: model.layers,
      hiddenSize: model.hiddenSize,
      bytesPerElement: model.bytesPerWeight,
      link: linkOf(HARDWARE['rtx-pro-6000']),
      largestGraphTokens: 512,
    });
}

function timed(workload: Workload, makeModel: (() => CostModel) | undefined, more: object) {
  const params = serveParams.parse({ strategy: { type: 'vllm-v1', ...more } });
  const cpuSeconds: number[] = [];
  let iterations = 0;
  let meanBatchSize = 0;
  for (let attempt = 0; attempt < 4; attempt++) {
    const simulation = createSimulation(params, workload, makeModel?.() ?? makeCostModel(params));
    const before = process.cpuUsage();
    while (simulation.advance(1_000_000));
    const { user, system } = process.cpuUsage(before);
    cpuSeconds.push((user + system) / 1e6);
    ({ iterations, meanBatchSize } = simulation.result().metrics);
  }
  const [first = Number.NaN] = cpuSeconds;
  return {
    iterations,
    meanBatchSize,
    /** The first run of a workload also names what its tokens are, and finds cold code. */
    firstRunIterationsPerCpuSecond: Math.round(iterations / first),
    iterationsPerCpuSecond: Math.round(iterations / Math.min(...cpuSeconds)),
  };
}

/** vLLM V1 with its prefix cache on: chats that share prefixes, and a trace without token ids. */
export async function vllmV1Speed(trace: Workload | undefined) {
  const chats = sharedPrefixWorkload({ sessions: 4000, sessionsPerSecond: 1.5, seed: 1 });
  const tables = await tablesModel();
  const loads = [{ load: 'chats', workload: chats }];
  if (trace !== undefined) loads.push({ load: 'azure conversation hour', workload: trace });
  return loads.flatMap(({ load, workload }) =>
    [true, false].map((asyncScheduling) => ({
      load,
      requests: workload.arrivalSeconds.length,
      asyncScheduling,
      roofline: timed(workload, undefined, { asyncScheduling }),
      opTables:
        tables === undefined
          ? 'skipped: ../shared/data is absent'
          : timed(workload, tables, { asyncScheduling }),
    })),
  );
}
