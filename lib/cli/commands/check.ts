import '../../spec/zod-config';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import * as z from 'zod';
import { createSimulation } from '../../serving/core/simulation';
import { parseVidurTables, vidurTablesCostModel } from '../../serving/cost/vidur-tables';
import type { ServeResult } from '../../serving/types';
import { serveParams } from '../../spec/kinds/serve';
import type { Workload } from '../../workload/types';

const USAGE = 'usage: headroom check vidur --tables T.json.gz --run R.json.gz';

const runSchema = z.object({
  name: z.string(),
  config: z.object({ scheduler: z.string() }),
  num_blocks: z.number().min(1),
  input: z.array(z.tuple([z.number(), z.int().min(1), z.int().min(1)])).min(1),
  result_columns: z.array(z.string()),
  results: z.array(z.array(z.number())),
  iterations: z.int(),
  summary: z.object({ restarts_total: z.int() }),
});
type ReferenceRun = z.output<typeof runSchema>;

export interface VidurCheck {
  readonly maxAbsTtftSeconds: number;
  readonly maxAbsE2eSeconds: number;
  readonly iterations: number;
  readonly expectedIterations: number;
  readonly restarts: number;
  readonly expectedRestarts: number;
  readonly iterationsPerSecond: number;
}

async function readJson(path: string): Promise<unknown> {
  const bytes = await readFile(path).catch(() => {
    throw new Error(`${path}: cannot read the file`);
  });
  try {
    const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
    return JSON.parse((isGzip ? gunzipSync(bytes) : bytes).toString('utf8'));
  } catch {
    throw new Error(`${path}: expected JSON, plain or gzip`);
  }
}

function workloadOf(run: ReferenceRun): Workload {
  return {
    arrivalSeconds: Float64Array.from(run.input, (row) => row[0]),
    promptTokens: Int32Array.from(run.input, (row) => row[1]),
    outputTokens: Int32Array.from(run.input, (row) => row[2]),
    label: run.name,
    source: run.name,
    seed: 0,
    notes: [],
  };
}

/** Vidur's defaults in every reference run: cap 128, 4,096 tokens per batch, chunks of 512, blocks of 16, watermark 0.01. */
function paramsOf(run: ReferenceRun) {
  const { scheduler } = run.config;
  if (scheduler !== 'vllm' && scheduler !== 'sarathi') {
    throw new Error(
      `invalid scheduler: ${scheduler} (expected vllm or sarathi) at config.scheduler of ${run.name}`,
    );
  }
  const strategy =
    scheduler === 'vllm'
      ? { type: 'vllm', maxBatchedTokens: 4096, maxSequences: 128 }
      : { type: 'sarathi', tokenBudget: 512, maxSequences: 128 };
  return serveParams.parse({
    strategy,
    memory: { blockTokens: 16, watermark: 0.01, kvBlocks: run.num_blocks },
    costModel: { type: 'tables' },
    horizonSeconds: 1e7,
  });
}

/** Replays a reference run and measures how far each request's times are from it; speed is the best of three. */
export function checkVidurRun(tablesJson: unknown, runJson: unknown): VidurCheck {
  const costModel = vidurTablesCostModel(parseVidurTables(tablesJson));
  const parsed = runSchema.safeParse(runJson);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Error(
      `invalid reference run: ${issue?.message.toLowerCase()} at ${issue?.path.join('.')}`,
    );
  }
  const run = parsed.data;
  const column = (name: string): number => {
    const index = run.result_columns.indexOf(name);
    if (index < 0)
      throw new Error(
        `invalid reference run: no column ${name} (found ${run.result_columns.join(', ')})`,
      );
    return index;
  };
  const params = paramsOf(run);
  const workload = workloadOf(run);
  let result: ServeResult | undefined;
  let bestSeconds = Infinity;
  for (let attempt = 0; attempt < 3; attempt++) {
    const simulation = createSimulation(params, workload, costModel, { parity: true });
    const startedAt = performance.now();
    while (simulation.advance(1_000_000));
    bestSeconds = Math.min(bestSeconds, (performance.now() - startedAt) / 1000);
    result = simulation.result();
  }
  const { requests, metrics } = result as ServeResult;
  const ttft = column('ttft_s');
  const e2e = column('e2e_s');
  let maxTtft = 0;
  let maxE2e = 0;
  run.results.forEach((row, i) => {
    const arrival = requests.arrivalSeconds[i] as number;
    const off = (ours: number, theirs: number | undefined) => {
      const distance = Math.abs(ours - arrival - (theirs ?? Number.NaN));
      return Number.isNaN(distance) ? Infinity : distance;
    };
    maxTtft = Math.max(maxTtft, off(requests.firstTokenSeconds[i] as number, row[ttft]));
    maxE2e = Math.max(maxE2e, off(requests.completedSeconds[i] as number, row[e2e]));
  });
  return {
    maxAbsTtftSeconds: maxTtft,
    maxAbsE2eSeconds: maxE2e,
    iterations: metrics.iterations,
    expectedIterations: run.iterations,
    restarts: metrics.restarts,
    expectedRestarts: run.summary.restarts_total,
    iterationsPerSecond: Math.round(metrics.iterations / bestSeconds),
  };
}

async function checkVidur(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { tables: { type: 'string' }, run: { type: 'string' } },
  });
  if (values.tables === undefined || values.run === undefined) {
    console.error(USAGE);
    return 2;
  }
  const [tables, run] = [await readJson(values.tables), await readJson(values.run)];
  console.log(JSON.stringify(checkVidurRun(tables, run)));
  return 0;
}

/** `check vidur` and `check vllm`: print one JSON line. @returns the exit code */
export async function checkCommand([what, ...args]: string[]): Promise<number> {
  switch (what) {
    case 'vidur':
      return checkVidur(args);
    case 'vllm':
      return (await import('../check/vllm')).checkVllm(args);
    case 'silicon':
      return (await import('../check/silicon')).checkSilicon(args);
    default:
      console.error(
        [
          USAGE,
          (await import('../check/vllm')).VLLM_USAGE,
          (await import('../check/silicon')).SILICON_USAGE,
        ].join('\n'),
      );
      return 2;
  }
}
