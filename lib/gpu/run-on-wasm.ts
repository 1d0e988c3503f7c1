import { checkShapeLimits } from '../attention/checks';
import { compareOutputs } from '../attention/compare';
import type { AdapterInfo, AttentionInputs } from '../attention/types';
import { BLOCK_KEYS, BLOCK_QUERIES, type WasmAttention } from '../wasm/attention';
import { createFormulaAttention } from './formula-wasm';
import { yieldToMessages } from './jobs';
import { median } from './measure';
import { type PackedBlockList, packBlockList } from './packed-list';
import {
  type AttentionRun,
  CHECK_FLOPS,
  densityOf,
  listSummary,
  type RunContext,
  WARMUP_RUNS,
} from './run-context';

/** A WebAssembly memory ends at 4 GiB; tensors are held twice while they are loaded. */
const TENSOR_BYTES = 2 ** 30;
/** Work between two looks at the messages: a cancel waits no longer. */
const SLICE_MILLISECONDS = 8;

/**
 * Runs in WebAssembly SIMD on one thread: warm-up, timed runs, comparison. The time of a run is that
 * of its slices; what passes between them belongs to others.
 *
 * @param engineNote why, where WebGPU was allowed
 */
export async function runOnWasm(
  context: RunContext,
  adapter: AdapterInfo | undefined,
  engineNote: string | undefined,
): Promise<AttentionRun> {
  const { params, inputs, signal, report } = context;
  const issues = checkShapeLimits(params.shape, TENSOR_BYTES);
  if (issues.length > 0) throw new Error(issues.join('; '));
  report({ fraction: undefined, phase: 'block list' });
  const list = packBlockList(inputs, BLOCK_QUERIES, BLOCK_KEYS, params.shape.queryHeads);
  const attention = createFormulaAttention(inputs);
  const runs = context.isTimed ? params.timedRuns : 0;
  const samplesSeconds: number[] = [];
  for (let run = 0; run < runs + WARMUP_RUNS; run++) {
    const seconds = await runOnce(attention, inputs, list, signal, (fraction) =>
      report({
        fraction: (run + fraction) / (runs + WARMUP_RUNS),
        phase: run < WARMUP_RUNS ? 'warm-up' : 'timing',
      }),
    );
    if (run >= WARMUP_RUNS || runs === 0) samplesSeconds.push(seconds);
  }
  report({ fraction: undefined, phase: 'checking' });
  await yieldToMessages();
  signal.throwIfAborted();
  const output = { output: attention.output.slice(), lse: attention.lse.slice() };
  const error = compareOutputs(inputs, output, { maxFlops: CHECK_FLOPS });
  const { flops, ...density } = densityOf(context, list);
  const medianSeconds = median(samplesSeconds);
  return {
    result: {
      params,
      engine: 'wasm',
      engineNote,
      adapter,
      plan: undefined,
      error,
      timing: {
        medianSeconds,
        samplesSeconds,
        warmupRuns: WARMUP_RUNS,
        clock: 'performance.now',
        flops,
        gigaflopsPerSecond: flops / medianSeconds / 1e9,
      },
      roof: undefined,
      percentOfRoof: undefined,
      density,
      selection: context.selection,
      blockList: listSummary(list, BLOCK_QUERIES, BLOCK_KEYS),
      notes: [
        'WebAssembly SIMD on one thread of the CPU',
        ...(error.withinTolerance
          ? []
          : [`output differs from the f64 reference by ${error.maxAbs.toExponential(1)}`]),
      ],
    },
    resident: { inputs, lse: output.lse, device: undefined },
  };
}

/** Every query block of every head, letting messages in; seconds of work. */
async function runOnce(
  attention: WasmAttention,
  { shape }: AttentionInputs,
  list: PackedBlockList,
  signal: AbortSignal,
  onFraction: (fraction: number) => void,
): Promise<number> {
  const total = shape.batch * shape.queryHeads * list.queryBlocks;
  let seconds = 0;
  let start = performance.now();
  for (let i = 0; i < total; i++) {
    const block = i % list.queryBlocks;
    const head = Math.floor(i / list.queryBlocks) % shape.queryHeads;
    const batch = Math.floor(i / (list.queryBlocks * shape.queryHeads));
    const row = 2 * (batch * list.stride + head * list.headStride + block);
    const entries = list.entries.subarray(list.rows[row], list.rows[row + 2]);
    attention.runBlock(batch, head, block, entries, list.rows[row + 1] as number);
    const now = performance.now();
    if (now - start < SLICE_MILLISECONDS) continue;
    seconds += (now - start) / 1000;
    onFraction((i + 1) / total);
    await yieldToMessages();
    signal.throwIfAborted();
    start = performance.now();
  }
  return seconds + (performance.now() - start) / 1000;
}
