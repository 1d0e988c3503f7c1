import {
  callShape,
  checkCallSteps,
  makeCallSteps,
  type RecurrentCall,
} from '../attention/recurrent/call';
import { describeCall } from '../attention/recurrent/describe';
import { foldMemories, MEMORY_RULE, mixOutputs } from '../attention/recurrent/mixture';
import type { RecurrentResult } from '../attention/recurrent/result';
import { isStateRule } from '../attention/recurrent/rule';
import type { RecurrentOutput, RecurrentRule, TestTimeRule } from '../attention/recurrent/types';
import { recurrentBytes, recurrentFlops } from '../attention/recurrent/work';
import type { AdapterInfo } from '../attention/types';
import type { OnProgress } from '../run/worker-api';
import type { RecurrentParams } from '../spec/kinds/recurrent';
import { createWasmRecurrent, type WasmRecurrent } from '../wasm/recurrent';
import { simdLabel } from '../wasm/relaxed-simd';
import { driveSteps, yieldToMessages } from './jobs';
import { median } from './measure';
import { RoofCache, threadsKey } from './roof';
import { WARMUP_RUNS } from './run-context';
import { runLanes } from './run-lanes';
import { probeRoof, type WasmLanes } from './wasm-lanes';

/** Below this a call is over before a second thread has woken. */
const SHARED_FLOPS = 5e7;

/** Whether a rule has a kernel in WebAssembly: one state per head, or several as batches. */
export const runsOnWasm = (
  rule: RecurrentRule,
): rule is Exclude<RecurrentRule, { type: 'lmu' } | TestTimeRule> =>
  isStateRule(rule) || rule.type === 'mom';

/**
 * Runs a rule in WebAssembly SIMD, rows of batch x heads on several threads where the page may share
 * memory: warm-up, timed runs, comparison with f64. On one thread the time of a run is that of its
 * slices, and what passes between them belongs to others; on several it is the wall's.
 *
 * @param engineNote why, where WebGPU was allowed
 * @throws Error with a sentence where the rule has no kernel in WebAssembly or the memory is short
 */
export async function runRecurrentOnWasm(
  params: RecurrentParams,
  adapter: AdapterInfo | undefined,
  engineNote: string | undefined,
  signal: AbortSignal,
  report: OnProgress,
  roofs = new RoofCache(),
  lanes?: WasmLanes,
): Promise<RecurrentResult> {
  const { rule, timedRuns: runs } = params;
  if (!runsOnWasm(rule)) {
    throw new Error(
      `engine wasm was asked for, but rule ${rule.type} has no WebAssembly kernel; choose engine auto or cpu`,
    );
  }
  report({ fraction: undefined, phase: 'inputs' });
  await yieldToMessages();
  signal.throwIfAborted();
  const call = await driveSteps(makeCallSteps(params), signal, () => undefined);
  const shape = callShape(call);
  const flops = recurrentFlops(rule, shape);
  const others = flops >= SHARED_FLOPS && shape.batch * shape.heads > 1 ? lanes : undefined;
  const { walk, read, notes, threads } = await prepareOn(others, call);
  const shared = threads > 1 ? others : undefined;
  const samplesSeconds: number[] = [];
  try {
    await roofs.ofThreads(threads, () => probeRoof(shared));
    const tasks = { next: walk.call.next, total: walk.rows, runSome: walk.walker.runSome };
    for (let run = 0; run < runs + WARMUP_RUNS; run++) {
      const seconds = await runLanes(tasks, shared, signal, (fraction) =>
        report({
          fraction: (run + fraction) / (runs + WARMUP_RUNS),
          phase: run < WARMUP_RUNS ? 'warm-up' : 'timing',
        }),
      );
      if (run >= WARMUP_RUNS) samplesSeconds.push(seconds);
    }
  } finally {
    shared?.unload();
  }
  report({ fraction: undefined, phase: 'checking' });
  await yieldToMessages();
  signal.throwIfAborted();
  const { error, unit } = await driveSteps(
    checkCallSteps(params, call, read()),
    signal,
    (fraction) => report({ fraction, phase: 'checking' }),
  );
  const bytes = recurrentBytes(rule, shape);
  const medianSeconds = median(samplesSeconds);
  const timing = {
    medianSeconds,
    samplesSeconds,
    warmupRuns: WARMUP_RUNS,
    clock: 'performance.now',
    flops,
    gigaflopsPerSecond: flops / medianSeconds / 1e9,
  } as const;
  const { roof, roofPlace } = roofs.place(threadsKey(threads), timing, bytes);
  return {
    params,
    engine: 'wasm',
    engineNote,
    adapter,
    plan: undefined,
    error,
    timing,
    roof,
    roofPlace,
    percentOfCopyRoof:
      roof && (100 * bytes) / 1e9 / roof.copyGigabytesPerSecond / timing.medianSeconds,
    ...describeCall(params, call),
    fits: undefined,
    unit,
    notes: [
      `${simdLabel()} on ${threads === 1 ? 'one thread' : `${threads} threads`} of the CPU, four tokens at once`,
      ...(lanes?.problem === undefined ? [] : [`no more threads: ${lanes.problem}`]),
      ...notes,
      ...(error.withinTolerance
        ? []
        : [`output differs from the f64 reference by ${error.maxAbs.toExponential(1)}`]),
    ],
  };
}

interface Prepared {
  readonly walk: WasmRecurrent;
  readonly notes: readonly string[];
  read(): RecurrentOutput;
}

/** The call on every thread, or on this one where others cannot be had. */
async function prepareOn(
  lanes: WasmLanes | undefined,
  call: RecurrentCall,
): Promise<Prepared & { readonly threads: number }> {
  const threads = lanes?.count ?? 1;
  if (lanes !== undefined && threads > 1) {
    try {
      const prepared = prepare(call, threads);
      await lanes.load(prepared.walk.call);
      return { ...prepared, threads };
    } catch {
      // A thread that does not start, or a memory that cannot be shared: one thread does it.
    }
  }
  return { ...prepare(call, 1), threads: 1 };
}

function prepare(call: RecurrentCall, threads: number): Prepared {
  switch (call.type) {
    case 'state': {
      const walk = createWasmRecurrent(call.inputs, call.rule, undefined, threads);
      return { walk, notes: [], read: walk.read };
    }
    case 'mom': {
      const walk = createWasmRecurrent(foldMemories(call.inputs), MEMORY_RULE, undefined, threads);
      return {
        walk,
        notes: [
          'the time is that of all memories; routing, and the weighted sum of their outputs, are not timed',
        ],
        read: () => {
          const { output, state } = walk.read();
          return { output: Float32Array.from(mixOutputs(call.inputs, output)), state };
        },
      };
    }
    case 'lmu':
    case 'lact':
    case 'temporal-lora':
      throw new Error(`rule ${call.type} has no WebAssembly kernel`);
  }
}
