import { REPRESENT_ACTIONS } from '../represent/actions/table';
import { type Actions, headByHead, plainRun } from './actions';
import { compensate } from './compensate';

/** What each action does, by its type. A family adds its definitions here. */
export const ACTIONS: Actions = {
  none: headByHead((head) => [plainRun(head, everySlot(head.positions.length))]),
  evict: headByHead((head) => [plainRun(head, head.kept)]),
  compensate,
  ...REPRESENT_ACTIONS,
};

function everySlot(slots: number): Int32Array {
  return Int32Array.from({ length: slots }, (_, slot) => slot);
}
