import { lengthWindow } from '../parts/length-window';
import type { Estimator } from './estimator';
import type { HostSwap } from './host-swap';
import type { Replica } from './replica';
import type { State } from './state';

/** Who is inside a replica, where a request outside may take the place of one inside. */
export interface Seating {
  /** Looks at who is inside, if it is time: those that lose their place go to host memory. */
  look(state: State, replica: Replica): void;
  /** The one that has waited longest in host memory or in the queue by the order; undefined for none. */
  firstOutside(
    state: State,
    replica: Replica,
  ): { readonly id: number; readonly isSwapped: boolean } | undefined;
  /** The first of those in host memory. */
  firstSwapped(state: State, replica: Replica): number | undefined;
}

/** Key of any request at a replica, the smallest first. */
export function currentKey(state: State, replica: Replica, id: number): number {
  const { queue, step } = replica;
  if (queue.keyOf !== undefined) return queue.keyOf(id, step);
  const { waitingKey, rank, decay } = state.parts.priority;
  const isRunning = (state.requests.isPrefilled[id] as number) === 1;
  if (!isRunning && waitingKey !== undefined) return waitingKey(id);
  return rank(id, state.requests.processed[id] as number, step) - decay * step;
}

/**
 * By the order: the best outside against the worst inside. With a length window: of all that are there,
 * those of the window have the places. A request that has come back keeps its place until it has had a
 * token, so that something always gets done.
 */
export function createSeating(host: HostSwap, estimator: Estimator): Seating {
  const toLook = new Map<Replica, number>();
  /** Those of the last window that are still outside. */
  const invited = new Map<Replica, ReadonlySet<number>>();

  function keysOf(state: State, replica: Replica): (id: number) => number {
    const known = new Map<number, number>();
    return (id) => {
      let key = known.get(id);
      if (key === undefined) {
        key = currentKey(state, replica, id);
        known.set(id, key);
      }
      return key;
    };
  }
  const isBefore = (key: (id: number) => number, arrival: Float64Array) => (a: number, b: number) =>
    key(a) - key(b) || (arrival[a] as number) - (arrival[b] as number) || a - b;

  function swappedIds({ swapped }: Replica): number[] {
    return Array.from({ length: swapped.length }, (_, i) => swapped.at(i));
  }

  return {
    look(state, replica) {
      const { swap, spareBlocks } = state.parts.preemption;
      if (swap === undefined) return;
      const left = toLook.get(replica) ?? 0;
      if (left > 0) {
        toLook.set(replica, left - 1);
        return;
      }
      const outside = [...swappedIds(replica), ...replica.queue.ids()];
      if (outside.length === 0) return;
      toLook.set(replica, swap.everyIterations - 1);
      const { requests, parts } = state;
      const { admission, alloc } = parts;
      const key = keysOf(state, replica);
      const order = isBefore(key, requests.arrivalSeconds);
      const share = parts.former(replica).candidateShare;
      const inside = replica.decoding.filter(
        (id) => (requests.processed[id] as number) > (state.joinedAt[id] as number),
      );
      let entrants = outside.toSorted(order);
      let victims = inside.toSorted(order).reverse();
      const hasWindow = share !== undefined;
      if (hasWindow) {
        const candidates = [...replica.decoding, ...outside].map((id) => ({
          id,
          worth: -key(id),
          tokens: requests.prefillTokens[id] as number,
        }));
        const chosen = lengthWindow(candidates, admission.maxSequences, share);
        entrants = entrants.filter((id) => chosen.has(id));
        victims = victims.filter((id) => !chosen.has(id));
        invited.set(replica, new Set(entrants));
      }
      const away = host.leaving(replica);
      let seats = admission.maxSequences - replica.holders + away.seats;
      let free =
        replica.blocksTotal -
        replica.blocksUsed +
        away.blocks -
        Math.max(replica.watermarkBlocks, spareBlocks);
      let promised = replica.blocksTotal - replica.committedBlocks;
      const interval =
        swap.everyIterations *
        estimator.decodeSeconds(Math.max(1, replica.decoding.length), replica.contextTokens);
      const isWaiting = (id: number) => requests.isPrefilled[id] === 0;
      const blocksFor = (id: number) =>
        isWaiting(id)
          ? alloc.entryBlocks(requests.prefillTokens[id] as number)
          : alloc.heldBlocks(requests.processed[id] as number);
      function pays(entrant: number, victim: number): boolean {
        if (!hasWindow && key(victim) <= key(entrant)) return false;
        if (swap?.costTest !== true) return true;
        const copies =
          host.outSeconds(replica, victim) + (isWaiting(entrant) ? 0 : host.backSeconds(entrant));
        return -key(entrant) * (interval - copies) > -key(victim) * interval;
      }
      let swaps = 0;
      let at = 0;
      for (const entrant of entrants) {
        const wanted = blocksFor(entrant);
        const commits = admission.commits(entrant, replica.blockTokens);
        const taken: number[] = [];
        let more = { seats, free, promised };
        const isEnough = () => more.seats >= 1 && more.free >= wanted && more.promised >= commits;
        while (!isEnough()) {
          const victim = victims[at + taken.length];
          if (victim === undefined || swaps + taken.length >= swap.mostSwaps) break;
          if (!pays(entrant, victim)) break;
          taken.push(victim);
          more = {
            seats: more.seats + 1,
            free: more.free + (requests.blocksHeld[victim] as number),
            promised: more.promised + admission.commits(victim, replica.blockTokens),
          };
        }
        if (!isEnough()) {
          if (hasWindow) continue;
          return;
        }
        for (const victim of taken) {
          if (!host.out(replica, victim, false)) return;
          state.preemptions++;
        }
        swaps += taken.length;
        at += taken.length;
        seats = more.seats - 1;
        free = more.free - wanted;
        promised = more.promised - commits;
      }
    },
    firstSwapped(state, replica) {
      const ids = swappedIds(replica);
      if (ids.length === 0) return undefined;
      const key = keysOf(state, replica);
      const order = isBefore(key, state.requests.arrivalSeconds);
      const first = invited.get(replica);
      return ids.reduce((best, id) => {
        const isFirst = first?.has(id) === true;
        if (isFirst !== (first?.has(best) === true)) return isFirst ? id : best;
        return order(id, best) < 0 ? id : best;
      });
    },
    firstOutside(state, replica) {
      const swapped = this.firstSwapped(state, replica);
      const { queue, step } = replica;
      if (queue.length === 0)
        return swapped === undefined ? undefined : { id: swapped, isSwapped: true };
      const key = keysOf(state, replica);
      const order = isBefore(key, state.requests.arrivalSeconds);
      const first = invited.get(replica);
      const guests = first === undefined ? [] : queue.ids().filter((id) => first.has(id));
      const waiting =
        guests.length === 0
          ? queue.peek(step)
          : guests.reduce((best, id) => (order(id, best) < 0 ? id : best));
      if (swapped === undefined) return { id: waiting, isSwapped: false };
      const isGuest = first?.has(swapped) === true;
      if (isGuest !== guests.length > 0)
        return { id: isGuest ? swapped : waiting, isSwapped: isGuest };
      return order(swapped, waiting) < 0
        ? { id: swapped, isSwapped: true }
        : { id: waiting, isSwapped: false };
    },
  };
}
