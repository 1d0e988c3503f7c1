import type { Actions } from '../../policy/actions';
import { channelPruneAction } from './channel-prune-action';
import { projectAction, quantiseAction } from './encode-action';
import { mergeAction } from './merge-action';

/** What `quantise`, `project`, `merge` and `channel-prune` do. */
export const REPRESENT_ACTIONS: Actions = {
  quantise: quantiseAction,
  project: projectAction,
  merge: mergeAction,
  'channel-prune': channelPruneAction,
};
