import '../../spec/zod-config';
import * as z from 'zod';
import { serveParams } from '../../spec/kinds/serve';
import type { Workload } from '../../workload/types';
import { createSimulation } from '../core/simulation';
import { parseVidurTables, vidurTablesCostModel } from '../cost/vidur-tables';
import type { ServeResult } from '../types';

const runSchema = z.object({
  name: z.string(),
  config: z.object({ scheduler: z.string(), batch_size_cap: z.int().default(128) }),
  max_batch_size_planner: z.int().min(1),
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

/** Vidur's longest request, for which orca and faster_transformer reserve. */
const MAX_TOKENS = 4096;

/** The parts of Vidur's schedulers, with its defaults: cap 128, 4,096 tokens per batch, chunks of 512. */
function strategyOf(scheduler: string, cap: number, planned: number): object {
  const slots = {
    type: 'composed',
    admission: { type: 'fits', maxSequences: planned },
    chunker: { type: 'whole' },
    preemption: { type: 'none' },
    kvAlloc: { type: 'contiguous-max', maxTokens: MAX_TOKENS },
  };
  switch (scheduler) {
    case 'vllm':
      return { type: 'vllm', maxBatchedTokens: 4096, maxSequences: cap };
    case 'sarathi':
      return { type: 'sarathi', tokenBudget: 512, maxSequences: cap };
    case 'orca':
      return { ...slots, batchFormer: { type: 'iteration-level' } };
    case 'faster_transformer':
      return { ...slots, batchFormer: { type: 'static' } };
    case 'lightllm':
      return {
        type: 'composed',
        admission: { type: 'future-peak', maxSequences: cap },
        batchFormer: {
          type: 'prefill-first',
          maxBatchedTokens: 4096,
          counting: 'sum',
          patience: 10,
        },
        chunker: { type: 'whole' },
      };
    default:
      throw new Error(
        `invalid scheduler: ${scheduler} (expected vllm, sarathi, orca, faster_transformer or lightllm)`,
      );
  }
}

/** Blocks of 16 with a watermark of 0.01, but for lightllm, which has blocks of one token. */
function paramsOf(run: ReferenceRun) {
  const { scheduler, batch_size_cap: cap } = run.config;
  return serveParams.parse({
    strategy: strategyOf(scheduler, cap, run.max_batch_size_planner),
    memory: {
      blockTokens: scheduler === 'lightllm' ? 1 : 16,
      watermark: 0.01,
      kvBlocks: run.num_blocks,
    },
    costModel: { type: 'tables' },
    horizonSeconds: 1e7,
  });
}

export interface CheckOptions {
  /** Speed is the best of so many: the first ones are the compiler's. */
  readonly attempts?: number;
  /** By the stepping engine. */
  readonly isStepped?: boolean;
}

/** Replays a reference run and measures how far each request's times are from it. */
export function checkVidurRun(
  tablesJson: unknown,
  runJson: unknown,
  { attempts = 3, isStepped = false }: CheckOptions = {},
): VidurCheck {
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
  for (let attempt = 0; attempt < attempts; attempt++) {
    const simulation = createSimulation(params, workload, costModel, {
      parity: true,
      isStepped,
    });
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
