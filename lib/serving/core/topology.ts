import type { TimelineLane } from '../types';
import type { Engine, EngineHooks } from './engine';
import type { Replica } from './replica';

/** Replicas, the links between them, and the decisions that cross them. */
export interface Topology {
  readonly replicas: readonly Replica[];
  readonly hooks: EngineHooks;
  /** Sends an arriving request to a replica. */
  admit(id: number): void;
  /** Earliest event besides arrivals and iteration ends; Infinity when there is none. */
  nextEventSeconds(): number;
  /** Handles those events up to and including `nowSeconds`. */
  handleEvents(nowSeconds: number): void;
  /** Lets every idle replica start what it can. */
  dispatch(engine: Engine, nowSeconds: number): void;
  lanes(): TimelineLane[];
}

/** The replica with the fewest unfinished requests; the lowest index on a tie. */
export function leastOutstanding(replicas: readonly Replica[]): Replica {
  let best = replicas[0] as Replica;
  for (const replica of replicas) {
    if (replica.outstanding < best.outstanding) best = replica;
  }
  return best;
}
