import { NO_CHANGE } from '../../../lib/serving/what-if/factors';
import { createWhatIfRun } from '../../../lib/serving/what-if/what-if-run';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { workloadParams } from '../../../lib/spec/kinds/workload';
import { generateWorkload } from '../../../lib/workload/generate';

// How often a slider over a trace of 1,000 requests could be answered: the simulation, its metrics,
// quantiles and utilisation, one after another on one core. One JSON document on standard output.
const RUNS = 40;
const load = workloadParams.parse({ source: { type: 'generator', requests: 1000 } });
if (load.source.type !== 'generator') throw new Error('expected a generator');
const workload = generateWorkload(load, load.source);
const STRATEGIES = {
  vllm: { type: 'vllm' },
  sarathi: { type: 'sarathi' },
  pools: { type: 'composed', topology: { type: 'pools' } },
  'vllm-v1': { type: 'vllm-v1' },
  distserve: { type: 'distserve', prefillReplicas: 1, decodeReplicas: 1 },
};

const report = Object.entries(STRATEGIES).map(([name, strategy]) => {
  const params = serveParams.parse({ strategy });
  const wall: number[] = [];
  const cpuBefore = process.cpuUsage();
  let iterations = 0;
  for (let i = 0; i < RUNS; i++) {
    const startedAt = performance.now();
    const factors = { ...NO_CHANGE, rate: 2 ** ((i % 16) / 8 - 1) };
    const run = createWhatIfRun(params, workload, undefined, factors);
    while (run.advance(1_000_000));
    ({ iterations } = run.result().metrics);
    wall.push(performance.now() - startedAt);
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  wall.sort((a, b) => a - b);
  const processorMilliseconds = (user + system) / 1000 / RUNS;
  return {
    name,
    iterations,
    medianMilliseconds: Number((wall[RUNS >> 1] as number).toFixed(2)),
    processorMilliseconds: Number(processorMilliseconds.toFixed(2)),
    updatesPerSecond: Math.round(1000 / processorMilliseconds),
  };
});
process.stdout.write(`${JSON.stringify({ requests: 1000, report }, null, 1)}\n`);
