import type { ModelResult } from '../transformer/result';
import type { HeadProbe } from './head-probes';

/** What a model cell shows: a text run, and what the model's heads do. */
export interface ModelCellResult extends ModelResult {
  /** Layer by layer; none for a user's own model, since the probes' texts are of our own words. */
  readonly heads: readonly HeadProbe[];
}
