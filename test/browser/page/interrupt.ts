import { proxy } from 'comlink';
import type { Progress } from '../../../lib/run/types';
import type { KernelCall } from '../../../lib/run/worker-api';
import { attentionParams } from '../../../lib/spec/kinds/attention';
import { composeParams } from '../../../lib/spec/kinds/compose';
import { decodeParams } from '../../../lib/spec/kinds/decode';
import { recurrentParams } from '../../../lib/spec/kinds/recurrent';
import { kernel } from './service';

type Kind = KernelCall['kind'];

const SCHEMAS = {
  attention: attentionParams,
  compose: composeParams,
  decode: decodeParams,
  recurrent: recurrentParams,
} as const;

const callOf = (kind: Kind, params: unknown) =>
  ({ kind, params: SCHEMAS[kind].parse(params) }) as KernelCall;

/** How a call ended that was cancelled, how long after, and what it was doing. */
export interface CancelOutcome {
  readonly ended: string;
  readonly milliseconds: number;
  readonly phase: string;
}

const sentence = (error: unknown) =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);

/** Cancels so long after the first report of a phase whose name ends so; '' is the call's start. */
async function cancelAfter(
  kind: Kind,
  params: unknown,
  phaseEnd: string,
  afterMilliseconds: number,
  map?: { readonly head: number },
): Promise<CancelOutcome> {
  const call = callOf(kind, params);
  let phase = '';
  let reached: () => void = () => undefined;
  const isReached = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const onProgress = proxy((progress: Progress) => {
    phase = progress.phase;
    if (phase.endsWith(phaseEnd)) reached();
  });
  if (phaseEnd === '') reached();
  const job: Promise<unknown> =
    map === undefined
      ? kernel().run(9, call, onProgress)
      : kernel().mapBase(9, call as never, 0, map.head, onProgress);
  const ending = job.then(() => 'done', sentence);
  await Promise.race([isReached, ending]);
  await new Promise((resolve) => setTimeout(resolve, afterMilliseconds));
  const start = performance.now();
  void kernel().cancel(9);
  const ended = await ending;
  return { ended, milliseconds: performance.now() - start, phase };
}

/** Milliseconds from a call's start to its end, with the time of every phase's first report. */
async function phasesOf(kind: Kind, params: unknown) {
  const call = callOf(kind, params);
  const start = performance.now();
  const phases: [string, number][] = [];
  const onProgress = proxy(({ phase }: Progress) => {
    if (phases.at(-1)?.[0] !== phase) phases.push([phase, performance.now() - start]);
  });
  const ended = await kernel()
    .run(8, call, onProgress)
    .then(() => 'done', sentence);
  return { ended, phases, milliseconds: performance.now() - start };
}

/** A call under which the device is destroyed, once, when a phase whose name ends so is reported. */
async function runWithLoss(
  kind: Kind,
  params: unknown,
  phaseEnd: string,
  map?: { readonly head: number },
) {
  const call = callOf(kind, params);
  let isLost = false;
  const onProgress = proxy(({ phase }: Progress) => {
    if (isLost || !phase.endsWith(phaseEnd)) return;
    isLost = true;
    void kernel().loseDevice();
  });
  const job: Promise<unknown> =
    map === undefined
      ? kernel().run(9, call, onProgress)
      : kernel().mapBase(9, call as never, 0, map.head, onProgress);
  const outcome = await job.then(
    (value) => ({ value: value as { value?: { notes: readonly string[] } } }),
    (error: unknown) => ({ error: sentence(error) }),
  );
  return { isLost, ...outcome };
}

let running: Promise<unknown> | undefined;

/** Starts a call and comes back in the first phase whose name ends so; `endOfCall` has its end. */
async function startCall(kind: Kind, params: unknown, phaseEnd: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const onProgress = proxy(({ phase }: Progress) => {
      if (phase.endsWith(phaseEnd)) resolve();
    });
    running = kernel()
      .run(10, callOf(kind, params), onProgress)
      .then(
        (value) => ({ value }),
        (error: unknown) => ({ error: sentence(error) }),
      )
      .finally(resolve);
  });
}
const endOfCall = () => running;

export const interruptTests = {
  cancelAfter,
  phasesOf,
  runWithLoss,
  startCall,
  endOfCall,
  isIsolated: () => crossOriginIsolated,
};
export type InterruptTests = typeof interruptTests;
Object.assign(globalThis, { kernelTests: interruptTests });
