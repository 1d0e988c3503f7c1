import { growBlocks, pushBatch, type Replica } from '../core/replica';
import type { PolicyContext } from './policy';

/**
 * Schedules one token of the running request `id`, evicting from the tail of `running[from, end)`
 * until a block is free. A free block is demanded even when none is needed, as vLLM V0 and Vidur do.
 *
 * @returns the new end of the remaining list
 */
export function scheduleDecode(
  replica: Replica,
  context: PolicyContext,
  id: number,
  from: number,
  end: number,
): number {
  const { blocks, running } = replica;
  let last = end;
  while (blocks.total - blocks.used < 1) {
    if (last > from) {
      context.preempt(replica, running[--last] as number);
    } else {
      context.preempt(replica, id);
      return last;
    }
  }
  growBlocks(replica, context.requests, id);
  pushBatch(replica, id, 1);
  return last;
}

/** Keeps `running[from, end)` as the running list. */
export function keepRunning(replica: Replica, from: number, end: number): void {
  replica.running.copyWithin(0, from, end);
  replica.runningCount = end - from;
}
