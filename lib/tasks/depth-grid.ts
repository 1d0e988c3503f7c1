import type { Task } from './task';

/** One cell of a sweep: samples of one length with what is asked for at one depth. */
export interface GridCell {
  readonly contextTokens: number;
  readonly depth: number;
}

/**
 * The cells of a depth by context sweep, contexts outermost: depths evenly from 0 to 1.
 *
 * @throws RangeError for a task whose depth cannot be set, or fewer than 2 depths
 */
export function depthGrid(task: Task, contexts: readonly number[], depths: number): GridCell[] {
  if (task.options.depth?.type !== 'share') {
    throw new RangeError(`invalid task: ${task.id} (its depth cannot be set)`);
  }
  if (!(Number.isInteger(depths) && depths >= 2)) {
    throw new RangeError(`invalid depths: ${depths} (expected an integer from 2)`);
  }
  return contexts.flatMap((contextTokens) =>
    Array.from({ length: depths }, (_, i) => ({ contextTokens, depth: i / (depths - 1) })),
  );
}
