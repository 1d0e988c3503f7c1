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
import { probeRoof } from './wasm-lanes';

/** Work between two looks at the messages: a cancel waits no longer. */
const SLICE_MILLISECONDS = 8;
/** Fours of tokens between two looks at the clock. */
const FOURS_PER_LOOK = 64;

/** Whether a rule has a kernel in WebAssembly: one state per head, or several as batches. */
export const runsOnWasm = (
  rule: RecurrentRule,
): rule is Exclude<RecurrentRule, { type: 'lmu' } | TestTimeRule> =>
  isStateRule(rule) || rule.type === 'mom';

/**
 * Runs a rule in WebAssembly SIMD on one thread: warm-up, timed runs, comparison with f64. The time
 * of a run is that of its slices; what passes between them belongs to others.
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
  const { walk, read, notes } = prepare(call);
  await roofs.ofThreads(1, () => probeRoof(undefined));
  const samplesSeconds: number[] = [];
  for (let run = 0; run < runs + WARMUP_RUNS; run++) {
    const seconds = await runOnce(walk, signal, (fraction) =>
      report({
        fraction: (run + fraction) / (runs + WARMUP_RUNS),
        phase: run < WARMUP_RUNS ? 'warm-up' : 'timing',
      }),
    );
    if (run >= WARMUP_RUNS) samplesSeconds.push(seconds);
  }
  report({ fraction: undefined, phase: 'checking' });
  await yieldToMessages();
  signal.throwIfAborted();
  const { error, unit } = await driveSteps(
    checkCallSteps(params, call, read()),
    signal,
    (fraction) => report({ fraction, phase: 'checking' }),
  );
  const flops = recurrentFlops(rule, shape);
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
  const { roof, roofPlace } = roofs.place(threadsKey(1), timing, bytes);
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
      `${simdLabel()} on one thread of the CPU, four tokens at once`,
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

function prepare(call: RecurrentCall): Prepared {
  switch (call.type) {
    case 'state': {
      const walk = createWasmRecurrent(call.inputs, call.rule);
      return { walk, notes: [], read: walk.read };
    }
    case 'mom': {
      const walk = createWasmRecurrent(foldMemories(call.inputs), MEMORY_RULE);
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

/** One run from the initial state, letting messages in; seconds. */
async function runOnce(
  walk: WasmRecurrent,
  signal: AbortSignal,
  onFraction: (fraction: number) => void,
): Promise<number> {
  let milliseconds = 0;
  let sliceStart = performance.now();
  walk.reset();
  for (let row = 0; row < walk.rows; row++) {
    for (let start = 0; start < walk.fours; start += FOURS_PER_LOOK) {
      const end = Math.min(start + FOURS_PER_LOOK, walk.fours);
      walk.run(row, start, end);
      const passed = performance.now() - sliceStart;
      if (passed < SLICE_MILLISECONDS) continue;
      milliseconds += passed;
      onFraction((row + end / walk.fours) / walk.rows);
      await yieldToMessages();
      signal.throwIfAborted();
      sliceStart = performance.now();
    }
  }
  return (milliseconds + performance.now() - sliceStart) / 1000;
}
