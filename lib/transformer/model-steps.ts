import type { ForwardResult, ForwardStep, Transformer } from './types';

/** Work that yields what it wants of a model and is given the results: the same for engines that must be waited for. */
export type ModelSteps<T> = Generator<ForwardStep, T, ForwardResult>;

/** Runs steps on the engine's `forward`. */
export function runSteps<T>({ forward }: Pick<Transformer, 'forward'>, steps: ModelSteps<T>): T {
  let at = steps.next();
  while (!at.done) at = steps.next(forward(at.value));
  return at.value;
}

/**
 * Runs steps on the engine's `forwardAsync`, where it has one.
 *
 * @throws the signal's reason between two steps
 */
export async function runStepsAsync<T>(
  { forward, forwardAsync }: Pick<Transformer, 'forward' | 'forwardAsync'>,
  steps: ModelSteps<T>,
  signal?: AbortSignal,
): Promise<T> {
  let at = steps.next();
  while (!at.done) {
    signal?.throwIfAborted();
    at = steps.next(await (forwardAsync?.(at.value) ?? forward(at.value)));
  }
  return at.value;
}
