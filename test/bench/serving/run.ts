import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { checkVidurRun } from '../../../lib/cli/commands/check';
import { createSimulation } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { workloadParams } from '../../../lib/spec/kinds/workload';
import { createCsvWorkloadParser } from '../../../lib/workload/csv';

// Simulator speed, best of three, simulation only. One JSON document on standard output.
const DATA = new URL('../../../../shared/data/', import.meta.url);
const read = (path: string): unknown =>
  JSON.parse(gunzipSync(readFileSync(new URL(path, DATA))).toString('utf8'));

function azureHour(strategy: object, replicas: number) {
  const params = workloadParams.parse({ source: { type: 'azure-csv' } });
  if (params.source.type !== 'csv' && params.source.type !== 'azure-csv')
    throw new Error('expected a CSV source');
  const parser = createCsvWorkloadParser(params, params.source);
  parser.push(readFileSync(new URL('traces/azure-2023-conv.csv', DATA), 'utf8'));
  const workload = parser.finish();
  const serve = serveParams.parse({ strategy: { ...strategy, replicas } });
  let best = Number.POSITIVE_INFINITY;
  let iterations = 0;
  for (let attempt = 0; attempt < 3; attempt++) {
    const simulation = createSimulation(serve, workload, makeCostModel(serve));
    const startedAt = performance.now();
    while (simulation.advance(1_000_000));
    best = Math.min(best, (performance.now() - startedAt) / 1000);
    iterations = simulation.progress().iterations;
  }
  return {
    strategy: serve.strategy.type,
    replicas,
    requests: workload.arrivalSeconds.length,
    iterations,
    wallSeconds: best,
    iterationsPerSecond: Math.round(iterations / best),
  };
}

if (!existsSync(DATA)) {
  console.log(JSON.stringify({ skipped: '../shared/data is absent' }));
} else {
  const tables = read('vidur/tables_a100_llama3-8b_tp1_std.json.gz');
  console.log(
    JSON.stringify(
      {
        node: process.version,
        sarathiReference: checkVidurRun(
          tables,
          read('vidur/a100_llama3-8b_tp1_sarathi_conv_t5.json.gz'),
        ),
        azureConversationHour: [
          azureHour({ type: 'sarathi' }, 2),
          azureHour({ type: 'vllm' }, 2),
          azureHour({ type: 'sarathi' }, 4),
        ],
      },
      null,
      1,
    ),
  );
}
