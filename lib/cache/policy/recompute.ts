import { type ActionDefinition, headByHead, plainRun } from './actions';

/**
 * Victims are dropped in the layers from `fromLayer` on; `createTokenRecall` keeps their ids and has
 * them made again. The layers before keep all of their slots.
 */
export const recompute: ActionDefinition<'recompute'> = headByHead<'recompute'>(
  (head, { fromLayer }) => {
    const all = Int32Array.from({ length: head.positions.length }, (_, slot) => slot);
    return [plainRun(head, head.layer < fromLayer ? all : head.kept)];
  },
);
