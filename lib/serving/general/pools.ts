import { createIdQueue, type IdQueue, idsOf } from '../core/id-queue';
import type { Link, SentTransfer } from '../core/link';
import { takeLinkLane } from '../core/replica';
import { takeRunLanes } from '../engine/take-lanes';
import { joinDecoding } from './decode-list';
import { enqueue, type Fleet, giveBack, type Place } from './fleet';
import { returnBlocks, takeBlocks } from './memory';
import type { Replica } from './replica';
import type { State } from './state';
import { placeMissing, tellQueued } from './tell-tracer';

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

/** Why the traced request, prefilled, is still on the other side. */
function tellPulling(state: State, side: DecodeSide, head: number | undefined): void {
  const { trace, nowSeconds } = state;
  if (trace === undefined) return;
  const { replica, unpulled } = side;
  for (let i = 0; i < unpulled.length; i++) {
    if (unpulled.at(i) !== trace.id) continue;
    trace.home = -1;
    const blocker = head === undefined ? undefined : placeMissing(state, replica, head);
    const behind = head === trace.id ? undefined : head;
    trace.enter(nowSeconds, replica.index, { kind: 'pull', blocker, behind });
    return;
  }
}

function tellSent(state: State, lane: number, sent: SentTransfer, kvTokens: number): void {
  const { startSeconds, endSeconds, ahead } = sent;
  state.trace?.enter(state.nowSeconds, lane, { kind: 'link', ahead });
  state.trace?.work(startSeconds, endSeconds, lane, { kind: 'transfer', kvTokens });
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
  const lanesPerLink = decode.length / links.length;
  const sides: readonly DecodeSide[] = decode.map((replica, i) => ({
    replica,
    link: links[Math.floor(i / lanesPerLink)] as Link,
    unpulled: createIdQueue(),
    arrived: createIdQueue(),
    mustPull: false,
  }));
  /** Prefill replica whose blocks hold the request's KV. */
  const sourceOf = new Map<number, Replica>();
  /** The side that a request on its way was assigned to. */
  const sideOf = new Map<number, DecodeSide>();
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
      sideOf.set(id, side);
      side.unpulled.pushBack(id);
      side.mustPull = true;
      touch(side.replica);
      if (state.trace?.id === id) tellPulling(state, side, undefined);
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
      for (const link of links) next = Math.min(next, link.nextEndSeconds());
      return next;
    },
    handleEvents(state, now, touch) {
      const { blocksHeld, totalTokens } = state.requests;
      for (const link of links) {
        while (link.nextEndSeconds() <= now) {
          const id = link.finish();
          const side = sideOf.get(id) as DecodeSide;
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
          tellQueued(state, side.replica, id);
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
        while (unpulled.length > 0) {
          const id = unpulled.at(0);
          if (replica.holders >= admission.maxSequences || !admission.fits(replica, id)) {
            tellPulling(state, side, id);
            break;
          }
          unpulled.popFront();
          touch(replica);
          sourceBlocks.set(id, blocksHeld[id] as number);
          takeBlocks(state, replica, id);
          // The token that the prefill emitted has no KV yet.
          const kvTokens = (processed[id] as number) - 1;
          const sent = side.link.send(id, kvTokens, now);
          const link = first + decode.length + links.indexOf(side.link);
          if (state.trace?.id === id) tellSent(state, link, sent, kvTokens);
        }
      }
    },
    laneCount: first + decode.length + links.length,
    lanes: () => [
      ...takeRunLanes(prefill, 'prefill', `${name} prefill`),
      ...takeRunLanes(decode, 'decode', `${name} decode`),
      ...links.map(({ log }, i) => takeLinkLane(log, `link-${i}`, `KV link to decode ${i}`)),
    ],
  };
}
