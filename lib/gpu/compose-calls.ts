import { findNonFinite } from '../attention/checks';
import type { ComposeCallResult, ComposeResult } from '../attention/compose/result';
import type { AttentionInputs, AttentionTiming } from '../attention/types';
import type { OnProgress } from '../run/worker-api';
import type { AttentionVariant } from '../spec/kinds/attention';
import type { ComposeParams } from '../spec/kinds/compose';
import { driveSteps, driveTimedSteps } from './jobs';
import type { AttentionRun, RunContext } from './run-context';

/** What a composition runs its calls with: the same engines, chosen the same way, as an attention cell. */
export interface ComposeRunner {
  readonly runCall: (context: RunContext) => Promise<AttentionRun>;
  readonly maxBufferBytes: number;
  readonly signal: AbortSignal;
  readonly report: OnProgress;
}

/** A call that ran, and what is told of it. */
export interface FinishedCall {
  readonly name: string;
  readonly run: AttentionRun;
}

/**
 * One call of the kernels, timed; its tensors on the device are freed.
 *
 * @throws Error where an input is not finite, or the engine fails
 */
export async function runKernelCall(
  params: ComposeParams,
  runner: ComposeRunner,
  name: string,
  inputs: AttentionInputs,
  variant: AttentionVariant,
): Promise<FinishedCall> {
  const nonFinite = findNonFinite(inputs);
  if (nonFinite !== undefined) throw new Error(`${nonFinite}, part "${name}"`);
  const { signal, report } = runner;
  const { structure, engine, timedRuns, seed } = params;
  const run = await runner.runCall({
    params: {
      shape: inputs.shape,
      structure,
      inputs: { source: 'synthetic' },
      variant,
      select: { type: 'none' },
      engine,
      timedRuns,
      seed,
    },
    inputs,
    signal,
    report: ({ fraction, phase }) => report({ fraction, phase: `${name}: ${phase}` }),
    selection: undefined,
    isTimed: true,
  });
  run.resident.device?.destroy();
  return { name, run };
}

/** Steps driven with messages let in, under a phase of the progress line. */
export function drive<T>(
  steps: Generator<number, T>,
  { signal, report }: ComposeRunner,
  phase: string,
): Promise<T> {
  return driveSteps(steps, signal, (fraction) => report({ fraction, phase }));
}

/** `drive`, with the time of the work alone. */
export function driveTimed<T>(
  steps: Generator<number, T>,
  runner: ComposeRunner,
  phase: string,
): Promise<{ readonly value: T; readonly seconds: number }> {
  const { signal, report } = runner;
  return driveTimedSteps(steps, signal, (fraction) => report({ fraction, phase }));
}

/** What a result says of its calls. */
export function describeCalls(
  calls: readonly FinishedCall[],
  means: readonly number[] | undefined,
): readonly ComposeCallResult[] {
  return calls.map(({ name, run: { result } }, i) => ({
    name,
    medianSeconds: result.timing.medianSeconds,
    flops: result.timing.flops,
    density: result.density.elements,
    percentOfRoof: result.percentOfRoof,
    error: result.error,
    meanMass: means?.[i],
  }));
}

/** Engine, adapter and notes of the calls, and their times one after another. */
export function sharedFacts(calls: readonly FinishedCall[]): Pick<
  ComposeResult,
  'engine' | 'engineNote' | 'adapter' | 'timing'
> & {
  readonly notes: readonly string[];
} {
  const results = calls.map(({ run }) => run.result);
  const { engine, engineNote, adapter, timing } = results[0]!;
  const sum = (of: (timing: AttentionTiming) => number) =>
    results.reduce((total, result) => total + of(result.timing), 0);
  const medianSeconds = sum((each) => each.medianSeconds);
  const flops = sum((each) => each.flops);
  return {
    engine,
    engineNote,
    adapter,
    timing: {
      medianSeconds,
      samplesSeconds: timing.samplesSeconds.map((_, i) =>
        sum(({ samplesSeconds }) => samplesSeconds[i] ?? Number.NaN),
      ),
      warmupRuns: timing.warmupRuns,
      clock: timing.clock,
      flops,
      gigaflopsPerSecond: flops / medianSeconds / 1e9,
    },
    notes: [...new Set(results.flatMap(({ notes }) => notes))],
  };
}
