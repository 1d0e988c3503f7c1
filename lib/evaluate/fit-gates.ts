import type { HeadGates } from '../cache/policy/classify';
import { createGateFit } from '../cache/policy/retrieval-gates';
import { taskOf } from '../tasks/registry';
import type { Transformer } from '../transformer/types';

/** Contexts of another stream than those that are evaluated, whatever their task. */
const OTHER_SEED = 0x6a7e;

export interface FitGatesOptions {
  readonly samples: number;
  readonly contextTokens: number;
  readonly seed: number;
}

/**
 * Gates of heads by retrieval on passkey contexts, which are not those that a policy is tested on.
 * Yields the share that is done after every context.
 *
 * @throws RangeError for a number of samples below 1 or a context that passkey does not fit in
 */
export function* fitGates(
  model: Transformer,
  { samples, contextTokens, seed }: FitGatesOptions,
): Generator<number, HeadGates> {
  const task = taskOf('passkey');
  const fit = createGateFit(model);
  for (let index = 0; index < samples; index++) {
    const sample = task.sample({ contextTokens, seed: (seed ^ OTHER_SEED) >>> 0, index });
    const turn = sample.turns[0];
    if (turn) fit.add({ tokens: [...sample.context, ...turn.question], evidence: turn.evidence });
    yield (index + 1) / samples;
  }
  return fit.gates();
}
