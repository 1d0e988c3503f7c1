import type { Estimator } from './estimator';
import type { GeneralOptions } from './first-role';
import { createHostSwap, type HostSwap } from './host-swap';
import type { Replica } from './replica';
import { createSeating } from './seating';
import type { Sends } from './sends';
import type { State } from './state';

/** Ties swapping to what happens to requests, where the strategy swaps. */
export function tieHostSwap(
  { workload, layers }: GeneralOptions,
  state: State,
  sends: Sends,
  replicas: readonly Replica[],
  estimator: Estimator,
): (HostSwap & { readonly keepsTurns: boolean }) | undefined {
  const { swap } = state.parts.preemption;
  if (swap === undefined) return undefined;
  const host = createHostSwap(state, { part: swap, layers, workload, sends, replicas });
  state.hostSwap = host;
  if (swap.forPriority) state.seating = createSeating(host, estimator);
  const { hooks } = state;
  const { keepsBlocks, onEntered } = hooks;
  hooks.keepsBlocks = (replica, id) => host.turnEnds(replica, id) || keepsBlocks(replica, id);
  const keepsTurns = swap.betweenTurns === 'host';
  if (keepsTurns)
    hooks.onEntered = (replica, id) => onEntered(replica, id) ?? host.turnEnters(replica, id);
  return { ...host, keepsTurns };
}
