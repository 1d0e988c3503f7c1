import type { Simulation } from '../serving/core/simulation';

/** Work between two looks at the mailbox: cancel is heard within this. */
const SLICE_MILLISECONDS = 20;
/** Iterations of the first slice: some milliseconds, and a short run in whole. */
const FIRST_SLICE = 2048;

/** Lets messages in: a macrotask without the clamping of timers. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new DOMException('cancelled', 'AbortError');
}

/**
 * Runs a simulation to its end in slices, so that cancel is heard.
 *
 * @param onSlice called after each slice but the last
 * @throws AbortError when cancelled
 */
export async function runSliced(
  simulation: Pick<Simulation, 'advance'>,
  signal: AbortSignal,
  onSlice?: () => void,
): Promise<void> {
  let iterations = FIRST_SLICE;
  for (;;) {
    const startedAt = performance.now();
    const hasMore = simulation.advance(iterations);
    const elapsed = performance.now() - startedAt;
    if (!hasMore) break;
    if (elapsed < SLICE_MILLISECONDS / 2) iterations *= 2;
    else if (elapsed > SLICE_MILLISECONDS * 2 && iterations > 64) iterations /= 2;
    onSlice?.();
    await nextTask();
    throwIfAborted(signal);
  }
}

/**
 * Runs a generator to its end, handing the thread back between slices.
 *
 * @param onSlice called with what was yielded last, after each slice but the last
 * @throws AbortError when cancelled
 */
export async function finishSliced<Y, R>(
  steps: Generator<Y, R>,
  signal: AbortSignal,
  onSlice: (last: Y) => void,
): Promise<R> {
  let startedAt = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() - startedAt < SLICE_MILLISECONDS) continue;
    onSlice(step.value);
    await nextTask();
    throwIfAborted(signal);
    startedAt = performance.now();
  }
}
