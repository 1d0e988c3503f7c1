import type { MachineOptions } from '../engine/machine';
import { pinSeconds, pins as pinsTurns } from '../parts/ttl';
import type { Estimator } from './estimator';
import { createPins, type Pins } from './pins';
import type { Replica } from './replica';
import type { Sends } from './sends';
import type { State } from './state';

/** Ties pins to what happens to requests, where the strategy pins and the workload has programs. */
export function tiePins(
  { strategy, workload }: MachineOptions,
  state: State,
  replicas: readonly Replica[],
  sends: Sends,
  estimator: Estimator,
): Pins | undefined {
  if (workload.programs === undefined || !pinsTurns(strategy.eviction)) return undefined;
  const lanesOf = ({ cache }: Replica) => replicas.filter((each) => each.cache === cache);
  const pins = createPins(
    state,
    workload.programs,
    lanesOf,
    sends,
    pinSeconds(strategy.eviction),
    estimator,
  );
  const hasEntered = new Uint8Array(state.requests.count);
  state.hooks.keepsBlocks = pins.keeps;
  state.hooks.pinnedAt = pins.pinnedAt;
  state.hooks.onDropped = pins.onDropped;
  state.hooks.yieldsTo = pins.yieldFrom;
  const { onSent } = state.hooks;
  state.hooks.onSent = (id) => {
    onSent(id);
    pins.onSent(id);
  };
  const { onEntered } = state.hooks;
  state.hooks.onEntered = (replica, id) => {
    // A request that is computed again is not another turn.
    if (hasEntered[id] === 0) pins.onEntered(id);
    hasEntered[id] = 1;
    return onEntered(replica, id);
  };
  return pins;
}
