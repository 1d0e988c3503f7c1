import { yieldToMessages } from './jobs';
import type { WasmLanes } from './wasm-lanes';

/** Work between two looks at the messages: a cancel waits no longer. */
const SLICE_MILLISECONDS = 8;

/** Tasks of a call that threads take by a shared counter. */
export interface LaneTasks {
  readonly next: Int32Array;
  readonly total: number;
  /** This thread's part: takes tasks until there are none or the time is over; true where there may be more. */
  runSome(milliseconds: number): boolean;
}

/**
 * Every task of a call, letting messages in; seconds. On one thread they are those of its slices,
 * on several the wall's.
 *
 * @param lanes threads that have loaded the call; undefined for one
 */
export async function runLanes(
  { next, total, runSome }: LaneTasks,
  lanes: WasmLanes | undefined,
  signal: AbortSignal,
  onFraction: (fraction: number) => void,
): Promise<number> {
  Atomics.store(next, 0, 0);
  const wallStart = performance.now();
  const others = lanes?.run();
  let ownSeconds = 0;
  try {
    for (;;) {
      const start = performance.now();
      const hasMore = runSome(SLICE_MILLISECONDS);
      ownSeconds += (performance.now() - start) / 1000;
      if (!hasMore) break;
      onFraction(Math.min(1, Atomics.load(next, 0) / total));
      await yieldToMessages();
      signal.throwIfAborted();
    }
  } finally {
    // Nothing is left to take: after a cancel the other threads stop at the end of their task.
    Atomics.store(next, 0, total);
    await others;
  }
  return others === undefined ? ownSeconds : (performance.now() - wallStart) / 1000;
}
