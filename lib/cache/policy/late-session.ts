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
  return {
    prefill(context, options) {
      opened = factoryFor(context).open(model);
      opened.prefill(context, options);
    },
    ask: (question, count, stop) => session().ask(question, count, stop),
    rewind: () => session().rewind(),
    ledger: () => session().ledger(),
    slots: (layer, kvHead) => session().slots(layer, kvHead),
    dropped: (layer, kvHead) => session().dropped(layer, kvHead),
  };
}
