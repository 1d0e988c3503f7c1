import { checkShapeLimits } from '../attention/checks';
import { compareSteps } from '../attention/compare';
import { mismatchNotes } from '../attention/mismatch-notes';
import { attentionBytes } from '../attention/roofline';
import type { AdapterInfo, AttentionInputs } from '../attention/types';
import { BLOCK_KEYS, BLOCK_QUERIES } from '../wasm/attention';
import { laneTasks } from '../wasm/lane';
import { simdLabel } from '../wasm/relaxed-simd';
import { prepareWasmCall, type WasmCall } from './formula-wasm';
import { driveSteps } from './jobs';
import { median } from './measure';
import { packBlockList } from './packed-list';
import { RoofCache, threadsKey } from './roof';
import {
  type AttentionRun,
  CHECK_FLOPS,
  densityOf,
  listSummary,
  type RunContext,
  WARMUP_RUNS,
} from './run-context';
import { runLanes } from './run-lanes';
import { probeRoof, type WasmLanes } from './wasm-lanes';

/** A WebAssembly memory ends at 4 GiB; tensors are held twice while they are loaded. */
const TENSOR_BYTES = 2 ** 30;
/** Below this a call is over before a second thread has woken. */
const SHARED_PAIRS = 2 ** 18;

/** Whether a call is shared among threads where there are some. */
export const isShared = ({ batch, queryHeads, queries, keys }: AttentionInputs['shape']): boolean =>
  batch * queryHeads * queries * keys >= SHARED_PAIRS;

/**
 * Runs in WebAssembly SIMD, on several threads where the page may share memory: warm-up, timed
 * runs, comparison. On one thread the time of a run is that of its slices; what passes between them
 * belongs to others. On several it is the wall's.
 *
 * @param engineNote why, where WebGPU was allowed
 * @param lanes threads to share the work with; undefined for one
 * @param roofs measured once per number of threads
 */
export async function runOnWasm(
  context: RunContext,
  adapter: AdapterInfo | undefined,
  engineNote: string | undefined,
  lanes?: WasmLanes,
  roofs = new RoofCache(),
): Promise<AttentionRun> {
  const { params, inputs, signal, report } = context;
  const { shape } = params;
  const issues = checkShapeLimits(shape, TENSOR_BYTES);
  if (issues.length > 0) throw new Error(issues.join('; '));
  report({ fraction: undefined, phase: 'block list' });
  const runs = context.isTimed ? params.timedRuns : 0;
  const measured = await measureOnWasm(inputs, { runs, lanes, roofs, signal, report });
  const error = await driveSteps(
    compareSteps(inputs, measured, { maxFlops: CHECK_FLOPS }),
    signal,
    (fraction) => report({ fraction, phase: 'checking' }),
  );
  const list = packBlockList(inputs, BLOCK_QUERIES, BLOCK_KEYS, shape.queryHeads);
  const { flops, ...density } = densityOf(context, list);
  const { samplesSeconds, threads } = measured;
  const medianSeconds = median(samplesSeconds);
  const timing = {
    medianSeconds,
    samplesSeconds,
    warmupRuns: WARMUP_RUNS,
    clock: 'performance.now',
    flops,
    gigaflopsPerSecond: flops / medianSeconds / 1e9,
  } as const;
  return {
    result: {
      params,
      engine: 'wasm',
      engineNote,
      adapter,
      plan: undefined,
      error,
      timing,
      ...roofs.place(threadsKey(threads), timing, attentionBytes(shape, density.elements)),
      density,
      selection: context.selection,
      blockList: listSummary(list, BLOCK_QUERIES, BLOCK_KEYS),
      notes: [
        `${simdLabel()} on ${threads === 1 ? 'one thread' : `${threads} threads`} of the CPU`,
        ...(lanes?.problem === undefined || !isShared(shape) ? [] : [lanes.problem]),
        ...mismatchNotes(inputs, error),
      ],
    },
    output: { output: measured.output, lse: measured.lse },
    resident: { inputs, output: measured.output, lse: measured.lse, device: undefined },
  };
}

export interface WasmMeasurement {
  /** Of the timed runs; of the warm-up where there are none. */
  readonly samplesSeconds: readonly number[];
  readonly threads: number;
  /** [batch, queryHeads, queries, headSize] and [batch, queryHeads, queries]. */
  readonly output: Float32Array;
  readonly lse: Float32Array;
}

/** Warm-up and timed runs of one call in WebAssembly, and what it computed. */
export async function measureOnWasm(
  inputs: AttentionInputs,
  options: Pick<RunContext, 'signal' | 'report'> & {
    readonly runs: number;
    readonly lanes: WasmLanes | undefined;
    /** Where the roof of these threads is kept; undefined measures none. */
    readonly roofs?: RoofCache;
  },
): Promise<WasmMeasurement> {
  const { runs, lanes, roofs, signal, report } = options;
  const { shape } = inputs;
  const threads =
    isShared(shape) && lanes !== undefined ? await withThreads(lanes, inputs) : undefined;
  const prepared = threads ?? prepareWasmCall(inputs);
  try {
    if (roofs !== undefined && runs > 0) {
      report({ fraction: undefined, phase: 'roof' });
      await roofs.ofThreads(prepared.call.lanes, () => probeRoof(threads && lanes));
      signal.throwIfAborted();
    }
    const { call, lane } = prepared;
    const tasks = { next: call.next, total: laneTasks(call), runSome: lane.runSome };
    const samplesSeconds: number[] = [];
    for (let run = 0; run < runs + WARMUP_RUNS; run++) {
      const seconds = await runLanes(tasks, threads && lanes, signal, (fraction) =>
        report({
          fraction: (run + fraction) / (runs + WARMUP_RUNS),
          phase: run < WARMUP_RUNS ? 'warm-up' : 'timing',
        }),
      );
      if (run >= WARMUP_RUNS || runs === 0) samplesSeconds.push(seconds);
    }
    const { attention } = prepared.lane;
    return {
      samplesSeconds,
      threads: prepared.call.lanes,
      output: attention.output.slice(),
      lse: attention.lse.slice(),
    };
  } finally {
    lanes?.unload();
  }
}

/** The call on every thread, or undefined where they cannot be had. */
async function withThreads(
  lanes: WasmLanes,
  inputs: AttentionInputs,
): Promise<WasmCall | undefined> {
  if (lanes.count === 1) return undefined;
  try {
    const prepared = prepareWasmCall(inputs, lanes.count);
    await lanes.load(prepared.call);
    return prepared;
  } catch {
    // A thread that does not start, or a memory that cannot be shared: one thread does it.
    return undefined;
  }
}
