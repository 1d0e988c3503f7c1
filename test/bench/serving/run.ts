import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { createLocalClient } from '../../../lib/run/local-client';
import { createSweepPool } from '../../../lib/run/sweep-pool';
import { createSweepService } from '../../../lib/run/sweep-service';
import { createSimulation } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { checkVidurRun } from '../../../lib/serving/fidelity/vidur-parity';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { sweepParams } from '../../../lib/spec/kinds/sweep';
import { workloadParams } from '../../../lib/spec/kinds/workload';
import { createCsvWorkloadParser } from '../../../lib/workload/csv';
import { generateWorkload } from '../../../lib/workload/generate';
import type { Workload } from '../../../lib/workload/types';
import { generalSpeed, vllmV1Speed } from './vllm-v1';

// Simulator speed, one worker's work on one core. One JSON document on standard output. `stepped` is
// the engine that takes every iteration alone, in the same run, as the figure to compare with.
const DATA = new URL('../../../../shared/data/', import.meta.url);
const read = (path: string): unknown =>
  JSON.parse(gunzipSync(readFileSync(new URL(path, DATA))).toString('utf8'));

function timed(strategy: object, workload: Workload, attempts: number, isStepped: boolean) {
  const serve = serveParams.parse({ strategy });
  let best = { total: Number.POSITIVE_INFINITY, run: 0, cpu: Number.POSITIVE_INFINITY };
  let iterations = 0;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const simulation = createSimulation(serve, workload, makeCostModel(serve), { isStepped });
    const startedAt = performance.now();
    const cpuBefore = process.cpuUsage();
    while (simulation.advance(1_000_000));
    const run = (performance.now() - startedAt) / 1000;
    iterations = simulation.result().metrics.iterations;
    const total = (performance.now() - startedAt) / 1000;
    const { user, system } = process.cpuUsage(cpuBefore);
    if (total < best.total) best = { total, run, cpu: best.cpu };
    best = { ...best, cpu: Math.min(best.cpu, (user + system) / 1e6) };
  }
  return {
    iterations,
    wallSeconds: best.run,
    wallSecondsWithMetrics: best.total,
    /** All threads of the process; below the wall time it means that the machine was shared. */
    cpuSecondsWithMetrics: best.cpu,
    iterationsPerSecond: Math.round(iterations / best.run),
  };
}

function azureWorkload(): Workload {
  const params = workloadParams.parse({ source: { type: 'azure-csv' } });
  if (params.source.type !== 'csv' && params.source.type !== 'azure-csv')
    throw new Error('expected a CSV source');
  const parser = createCsvWorkloadParser(params, params.source);
  parser.push(readFileSync(new URL('traces/azure-2023-conv.csv', DATA), 'utf8'));
  return parser.finish();
}

function azureHour(strategy: { readonly type: string; readonly replicas: number }) {
  const workload = azureWorkload();
  return {
    ...strategy,
    requests: workload.arrivalSeconds.length,
    fast: timed(strategy, workload, 12, false),
    stepped: timed(strategy, workload, 3, true),
  };
}

/** The first twenty minutes of the hour, 20 rates with 5 seeds each, and the search; one thread. */
async function goodputCurve(strategy: { readonly type: string; readonly replicas: number }) {
  const whole = azureWorkload();
  const count = whole.arrivalSeconds.findIndex((seconds) => seconds > 1200);
  const workload: Workload = {
    ...whole,
    arrivalSeconds: whole.arrivalSeconds.slice(0, count),
    promptTokens: whole.promptTokens.slice(0, count),
    outputTokens: whole.outputTokens.slice(0, count),
  };
  const pool = createSweepPool([createLocalClient(createSweepService(), 'sweep')]);
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  let firstSeconds = 0;
  let gridCpuSeconds = 0;
  const cpuSeconds = () => {
    const { user, system } = process.cpuUsage(cpuBefore);
    return (user + system) / 1e6;
  };
  const found = await pool.run(
    {
      params: serveParams.parse({ strategy }),
      load: { type: 'trace', workload, seed: 1 },
      tables: undefined,
    },
    sweepParams.parse({}),
    ({ runs }) => {
      if (runs === 1) firstSeconds = (performance.now() - startedAt) / 1000;
      if (runs === 100) gridCpuSeconds = cpuSeconds();
    },
  );
  return {
    ...strategy,
    requestsPerRun: count,
    runs: found.runs,
    firstPointSeconds: firstSeconds,
    wallSeconds: (performance.now() - startedAt) / 1000,
    gridCpuSeconds,
    cpuSeconds: cpuSeconds(),
    maximum: found.maximum,
  };
}

function million() {
  const params = workloadParams.parse({
    source: { type: 'generator', requests: 1_000_000, ratePerSecond: 90 },
  });
  if (params.source.type !== 'generator') throw new Error('expected a generator');
  const workload = generateWorkload(params, params.source);
  return {
    requests: 1_000_000,
    replicas: 64,
    ...timed({ type: 'sarathi', replicas: 64 }, workload, 1, false),
    peakMebibytes: Math.round(process.resourceUsage().maxRSS / 1024),
  };
}

if (!existsSync(DATA)) {
  console.log(
    JSON.stringify({
      skipped: '../shared/data is absent',
      million: million(),
      vllmV1WithPrefixCache: await vllmV1Speed(),
      generalEngine: generalSpeed(),
    }),
  );
} else {
  // First, while the process is small: its peak is what is reported.
  const oneMillionRequests = million();
  const tables = read('vidur/tables_a100_llama3-8b_tp1_std.json.gz');
  const run = read('vidur/a100_llama3-8b_tp1_sarathi_conv_t5.json.gz');
  console.log(
    JSON.stringify(
      {
        node: process.version,
        oneMillionRequests,
        sarathiReference: {
          fast: checkVidurRun(tables, run, { attempts: 100 }),
          stepped: checkVidurRun(tables, run, { attempts: 30, isStepped: true }),
        },
        azureConversationHour: [
          azureHour({ type: 'sarathi', replicas: 2 }),
          azureHour({ type: 'vllm', replicas: 2 }),
          azureHour({ type: 'sarathi', replicas: 4 }),
        ],
        vllmV1WithPrefixCache: await vllmV1Speed(),
        generalEngine: generalSpeed(),
        goodputCurveOf20Minutes: [
          await goodputCurve({ type: 'sarathi', replicas: 1 }),
          await goodputCurve({ type: 'vllm', replicas: 1 }),
          await goodputCurve({ type: 'vllm-v1', replicas: 1 }),
        ],
      },
      null,
      1,
    ),
  );
}
