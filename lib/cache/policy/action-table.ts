import { REPRESENT_ACTIONS } from '../represent/actions/table';
import type { Actions } from './actions';
import { compensate } from './compensate';
import { offload } from './offload';
import { recompute } from './recompute';

/**
 * What each action does, by its type; a family adds its definitions here. `none` and `evict` need
 * none: the slots stay, or the cache drops them as they are stored.
 */
export const ACTIONS: Actions = { compensate, offload, recompute, ...REPRESENT_ACTIONS };
