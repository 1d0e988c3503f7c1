import { gatesOf } from '../cache/policy/classify';
import type { RunGates } from '../evaluate/cell-result';
import { fitGates } from '../evaluate/fit-gates';
import { classifierOf } from '../evaluate/policies';
import type { CacheEntry, CacheParams } from '../spec/kinds/cache';
import type { Transformer } from '../transformer/types';
import { nextTask, throwIfAborted } from './sliced';

/**
 * Gates that an entry's classes of heads go by: fitted where it asks for that, else those that its
 * own classifier finds on the context that is looked at. Undefined for entries without classes.
 *
 * @param onProgress share that is done of a fit
 * @throws AbortError when cancelled, RangeError where the fit cannot be made
 */
export async function entryGates(
  entry: CacheEntry,
  model: Transformer,
  { contextTokens, seed }: Pick<CacheParams, 'contextTokens' | 'seed'>,
  looked: readonly number[],
  onProgress: (fraction: number) => void,
  signal: AbortSignal,
): Promise<RunGates | undefined> {
  const classifier =
    entry.type === 'preset' ? classifierOf(entry.id) : withGates(entry.policy.classifier);
  if (!classifier) return undefined;
  if (entry.type === 'composed' || !entry.gates) {
    const values = gatesOf(classifier, model, looked);
    return values && { values, by: NAMES[classifier.type], isFitted: false };
  }
  const { samples } = entry.gates;
  const fit = fitGates(model, { samples, contextTokens, seed });
  for (;;) {
    const step = fit.next();
    if (step.done) {
      return { values: step.value, by: `retrieval on ${samples} passkey contexts`, isFitted: true };
    }
    onProgress(step.value);
    await nextTask();
    throwIfAborted(signal);
  }
}

type Classifier = NonNullable<ReturnType<typeof classifierOf>>;

const NAMES: Readonly<Record<Classifier['type'], string>> = {
  none: 'nothing',
  gates: 'numbers as written',
  'mean-query': 'the mean-query proxy on each context',
  'echo-induction': 'echo and induction on tokens of each context',
};

function withGates(classifier: Classifier): Classifier | undefined {
  return classifier.type === 'none' ? undefined : classifier;
}
