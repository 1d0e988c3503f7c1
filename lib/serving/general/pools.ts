import { createIdQueue, type IdQueue, idsOf } from '../core/id-queue';
import type { Link } from '../core/link';
import { takeLane } from '../core/replica';
import { takeRunLane } from '../engine/run-log';
import { joinDecoding } from './decode-list';
import { enqueue, type Fleet, giveBack, type Place } from './fleet';
import { returnBlocks, takeBlocks } from './memory';
import type { Replica } from './replica';
import type { State } from './state';

export interface PoolsOptions {
  readonly prefill: readonly Replica[];
  readonly decode: readonly Replica[];
  /** One ingress link per decode replica. */
  readonly links: readonly Link[];
  readonly placePrompt: Place;
  readonly placeDecode: Place;
  readonly name: string;
  /** Whether a replica gets new requests; all do where roles never change. */
  readonly isActive?: ((replica: Replica) => boolean) | undefined;
  readonly settle?: ((now: number) => void) | undefined;
}

/** Chooses among the replicas that get new requests. */
function placeAmong(
  isActive: PoolsOptions['isActive'],
  place: Place,
): (state: State, replicas: readonly Replica[], id: number) => Replica | undefined {
  if (isActive === undefined) return (state, replicas, id) => replicas[place(state, replicas, id)];
  return (state, replicas, id) => {
    const active = replicas.filter(isActive);
    return active[place(state, active, id)];
  };
}

interface DecodeSide {
  readonly replica: Replica;
  readonly link: Link;
  /** Prefilled and assigned here, KV still on the prefill side. */
  readonly unpulled: IdQueue;
  /** Transferred, waiting for the iteration under way to end. */
  readonly arrived: IdQueue;
  mustPull: boolean;
}

/**
 * Prefill and decode apart. A prompt keeps its blocks on the prefill side until its KV has moved; the
 * decode side pulls, first come first served, whenever something ends or arrives there and its own
 * admission rule has room, so during a transfer both sides hold the blocks. A request that decoding
 * preempts is computed again where it was prefilled. A prefix index is of the prefill side: there
 * the KV of a prompt stays when it has been copied away.
 */
export function poolsFleet(
  options: PoolsOptions,
): Fleet & { readonly unpulled: () => readonly number[] } {
  const { prefill, decode, links, name, isActive } = options;
  const placePrompt = placeAmong(isActive, options.placePrompt);
  const placeDecode = placeAmong(isActive, options.placeDecode);
  const first = prefill.length;
  const sides: readonly DecodeSide[] = decode.map((replica, i) => ({
    replica,
    link: links[i] as Link,
    unpulled: createIdQueue(),
    arrived: createIdQueue(),
    mustPull: false,
  }));
  /** Prefill replica whose blocks hold the request's KV. */
  const sourceOf = new Map<number, Replica>();
  /** Blocks held there while the same request already holds others on the decode side. */
  const sourceBlocks = new Map<number, number>();

  return {
    replicas: [...prefill, ...decode],
    admit: (state, id, touch) => enqueue(state, placePrompt(state, prefill, id), id, touch),
    unpulled: () => sides.flatMap(({ unpulled }) => [...idsOf(unpulled)]),
    onPrefilled(state, replica, id, touch) {
      sourceOf.set(id, replica);
      const { index } = placeDecode(state, decode, id) as Replica;
      const side = sides[index - first] as DecodeSide;
      side.replica.outstanding++;
      side.replica.outstandingTokens += state.requests.totalTokens[id] as number;
      side.unpulled.pushBack(id);
      side.mustPull = true;
      touch(side.replica);
      return true;
    },
    onPreempted(state, replica, id, touch) {
      const home = sourceOf.get(id) as Replica;
      const source =
        isActive?.(home) === false ? (placePrompt(state, prefill, id) as Replica) : home;
      const tokens = state.requests.totalTokens[id] as number;
      replica.outstanding--;
      replica.outstandingTokens -= tokens;
      source.outstanding++;
      source.outstandingTokens += tokens;
      touch(source);
      giveBack(state, source, id);
      (sides[replica.index - first] as DecodeSide).mustPull = true;
    },
    onCompleted(replica) {
      const side = sides[replica.index - first];
      if (side !== undefined) side.mustPull = true;
    },
    isPending: () => sides.some(({ mustPull }) => mustPull),
    nextEventSeconds() {
      let next = Infinity;
      for (const { link } of sides) next = Math.min(next, link.nextEndSeconds());
      return next;
    },
    handleEvents(state, now, touch) {
      const { blocksHeld, totalTokens } = state.requests;
      for (const side of sides) {
        while (side.link.nextEndSeconds() <= now) {
          const id = side.link.finish();
          const source = sourceOf.get(id) as Replica;
          touch(source);
          const here = blocksHeld[id] as number;
          blocksHeld[id] = sourceBlocks.get(id) as number;
          sourceBlocks.delete(id);
          returnBlocks(state, source, id, false);
          blocksHeld[id] = here;
          source.outstanding--;
          source.outstandingTokens -= totalTokens[id] as number;
          touch(side.replica);
          side.arrived.pushBack(id);
        }
      }
    },
    beforeDispatch(state, now, touch) {
      options.settle?.(now);
      const { admission } = state.parts;
      const { processed, blocksHeld } = state.requests;
      for (const side of sides) {
        const { replica, unpulled, arrived } = side;
        if (!replica.isBusy) {
          while (arrived.length > 0) joinDecoding(state, replica, arrived.popFront(), 1);
          if (replica.decoding.length > 0) touch(replica);
        }
        if (!side.mustPull) continue;
        side.mustPull = false;
        while (unpulled.length > 0 && replica.holders < admission.maxSequences) {
          const id = unpulled.at(0);
          if (!admission.fits(replica, id)) break;
          unpulled.popFront();
          touch(replica);
          sourceBlocks.set(id, blocksHeld[id] as number);
          takeBlocks(state, replica, id);
          // The token that the prefill emitted has no KV yet.
          side.link.send(id, (processed[id] as number) - 1, now);
        }
      }
    },
    lanes: () => [
      ...prefill.map(({ log, blocksTotal }, i) =>
        takeRunLane(log, `prefill-${i}`, `${name} prefill ${i}`, 'prefill', blocksTotal),
      ),
      ...decode.map(({ log, blocksTotal }, i) =>
        takeRunLane(log, `decode-${i}`, `${name} decode ${i}`, 'decode', blocksTotal),
      ),
      ...links.map(({ log }, i) => takeLane(log, `link-${i}`, `KV link to decode ${i}`, 'link', 0)),
    ],
  };
}
