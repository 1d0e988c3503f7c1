import type { RejectionPart } from '../../spec/kinds/serve-parts';
import type { RequestLimits } from '../../workload/types';
import type { SideEvents } from './event-loop';
import { withdraw } from './fleet';
import type { Replica } from './replica';
import { createDueHeap } from './sends';
import type { State } from './state';

/** How long it takes to look again at one that is not in a queue yet. */
const AGAIN_SECONDS = 1;

export interface Late extends SideEvents {
  onSent(id: number): void;
}

/**
 * Requests that wait for their first place past the limit of their last token, or too long where
 * they have none, are given up. Who has begun goes on.
 */
export function createLate(
  part: Extract<RejectionPart, { type: 'late' }>,
  limits: RequestLimits | undefined,
  state: State,
  replicas: () => readonly Replica[],
): Late {
  const due = createDueHeap();
  const limitOf = (id: number) => {
    const limit = limits?.lastTokenSeconds[id] ?? Infinity;
    return limit === Infinity ? part.waitSeconds : limit;
  };
  return {
    onSent: (id) => due.push(state.nowSeconds + limitOf(id), id),
    nextSeconds: () => due.firstSeconds(),
    handle(now) {
      while (due.firstSeconds() <= now) {
        const id = due.pop();
        const { firstScheduledSeconds, refused } = state.requests;
        if (!Number.isNaN(firstScheduledSeconds[id]) || refused[id] === 1) continue;
        const replica = replicas()[state.replicaOf[id] as number];
        if (replica === undefined) {
          due.push(now + AGAIN_SECONDS, id);
          continue;
        }
        withdraw(state, replica, id);
        state.hooks.onGivenUp(id);
      }
    },
  };
}
