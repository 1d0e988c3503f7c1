import type { CacheSession, SessionFactory } from '../../../lib/cache/types';
import type { Transformer } from '../../../lib/transformer/types';

/** A model that keeps the logits of its last run. */
export function watchLogits(model: Transformer): { model: Transformer; last(): Float32Array } {
  let last: Float32Array = new Float32Array(0);
  return {
    model: {
      ...model,
      forward(step) {
        const result = model.forward(step);
        if (result.logits.length > 0) last = result.logits;
        return result;
      },
    },
    last: () => last,
  };
}

/** Logits after a question over a context, under a policy. */
export function logitsAfter(
  model: Transformer,
  factory: SessionFactory,
  context: readonly number[],
  question: readonly number[],
  options: Parameters<CacheSession['prefill']>[1] = {},
): { logits: Float32Array; session: CacheSession } {
  const watched = watchLogits(model);
  const session = factory.open(watched.model);
  session.prefill(context, options);
  session.ask(question, 1, new Set());
  return { logits: watched.last(), session };
}
