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
import { smallLoads } from './small-loads';

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

const LEAST_ATTEMPTS = 4;
/** Runs of a few thousand steps would measure the compiler: shorter loads run more often. */
const LEAST_ITERATIONS = 200_000;

/** Runs of one load after each other: the first finds cold code, the best of all is what it can do. */
function timed(workload: Workload, makeModel: (() => CostModel) | undefined, cell: object) {
  const params = serveParams.parse(cell);
  const cpuSeconds: number[] = [];
  let iterations = 0;
  let meanBatchSize = 0;
  while (cpuSeconds.length < LEAST_ATTEMPTS || iterations * cpuSeconds.length < LEAST_ITERATIONS) {
    const costModel = makeModel?.() ?? makeCostModel(params);
    const before = process.cpuUsage();
    const simulation = createSimulation(params, workload, costModel);
    while (simulation.advance(1_000_000));
    const { user, system } = process.cpuUsage(before);
    cpuSeconds.push((user + system) / 1e6);
    ({ iterations, meanBatchSize } = simulation.result().metrics);
  }
  const [first = Number.NaN] = cpuSeconds;
  return {
    iterations,
    meanBatchSize,
    /** The first run of a workload also looks what its requests have in common, and finds cold code. */
    firstRunIterationsPerCpuSecond: Math.round(iterations / first),
    iterationsPerCpuSecond: Math.round(iterations / Math.min(...cpuSeconds)),
  };
}

/** vLLM V1 with its prefix cache on, over a small load of each kind. */
export async function vllmV1Speed() {
  const tables = await tablesModel();
  return smallLoads().map(({ load, workload, kvBlocks }) => {
    const cell = {
      strategy: { type: 'vllm-v1' },
      ...(kvBlocks === undefined ? {} : { memory: { kvBlocks } }),
    };
    return {
      load,
      requests: workload.arrivalSeconds.length,
      roofline: timed(workload, undefined, cell),
      opTables:
        tables === undefined ? 'skipped: ../shared/data is absent' : timed(workload, tables, cell),
    };
  });
}

/** The engine that has every part, where nothing is looked ahead: with and without a prefix index. */
export function generalSpeed() {
  return smallLoads()
    .filter(({ load }) => load === 'chats' || load === 'azure conversation hour')
    .flatMap(({ load, workload }) =>
      ['none', 'block-hash', 'radix'].map((type) => ({
        load,
        prefixIndex: type,
        ...timed(workload, undefined, {
          strategy: {
            type: 'composed',
            // Looked at anew at every peek, which the fast engine does not know.
            priority: { type: 's-edf' },
            prefixIndex: { type },
          },
        }),
      })),
    );
}
