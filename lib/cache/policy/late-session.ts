import type { Transformer } from '../../transformer/types';
import type { CacheSession, SessionFactory } from '../types';

/** A session whose policy depends on the context: on its length, or on the text itself. */
export function lateSession(
  model: Transformer,
  factoryFor: (context: readonly number[]) => SessionFactory,
): CacheSession {
  let opened: CacheSession | undefined;
  const session = (): CacheSession => {
    if (!opened) throw new Error('no context: prefill comes first');
    return opened;
  };
  const open = (context: readonly number[]): CacheSession => {
    opened = factoryFor(context).open(model);
    return opened;
  };
  return {
    prefill: (context, options) => open(context).prefill(context, options),
    steps: {
      *prefill(context, options) {
        const { steps, prefill } = open(context);
        if (steps) yield* steps.prefill(context, options);
        else prefill(context, options);
      },
      *ask(...args) {
        const { steps, ask } = session();
        return steps ? yield* steps.ask(...args) : ask(...args);
      },
    },
    ask: (question, count, stop) => session().ask(question, count, stop),
    rewind: () => session().rewind(),
    ledger: () => session().ledger(),
    slots: (layer, kvHead) => session().slots(layer, kvHead),
    dropped: (layer, kvHead) => session().dropped(layer, kvHead),
  };
}
