import { REPRESENT_ACTIONS } from '../represent/actions/table';
import type { Actions } from './actions';
import { compensate } from './compensate';

/**
 * What each action does, by its type; a family adds its definitions here. `none` and `evict` need
 * none: the slots stay, or the cache drops them as they are stored.
 */
export const ACTIONS: Actions = { compensate, ...REPRESENT_ACTIONS };
