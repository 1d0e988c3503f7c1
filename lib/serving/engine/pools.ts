import type { PullPart } from '../../spec/kinds/serve-parts';
import { createIdQueue, type IdQueue } from '../core/id-queue';
import type { Link, SentTransfer } from '../core/link';
import { takeLinkLane } from '../core/replica';
import type { Router } from '../parts/router';
import { joinDecoding } from './decode-set';
import type { Fleet, Touch } from './fleet';
import type { Instance } from './instance';
import { returnBlocks, takeBlocks } from './memory';
import { iterationEndSeconds } from './run-length';
import type { RunState } from './run-state';
import { takeRunLanes } from './take-lanes';
import { placeMissing, tellQueued } from './tell-tracer';

export interface PoolsOptions {
  readonly prefill: readonly Instance[];
  readonly decode: readonly Instance[];
  /** One ingress link per decode replica, shared by its micro-batches. */
  readonly links: readonly Link[];
  readonly pull: PullPart;
  readonly maxDecodeSequences: number;
  readonly routePrompt: Router;
  readonly routeDecode: Router;
  readonly clientIds: Int32Array;
  readonly name: string;
}

interface DecodeSide {
  readonly instance: Instance;
  readonly link: Link;
  /** Prefilled and assigned here, KV still on the prefill side. */
  readonly unpulled: IdQueue;
  /** Transferred, waiting for the iteration under way to end and for a seat. */
  readonly arrived: IdQueue;
  /** Blocks of those that were pulled and do not decode yet. */
  waitingBlocks: number;
  mustPull: boolean;
  /** A seat was taken after the last pull: the waiting list is shorter at the next event. */
  mayPull: boolean;
}

/** The traced request has been prefilled and waits for a place on the decode side, `head` before it. */
function tellPulling(state: RunState, side: DecodeSide, head: number | undefined): void {
  const { trace } = state;
  if (trace === undefined) return;
  const { instance, unpulled } = side;
  for (let i = 0; i < unpulled.length; i++) {
    if (unpulled.at(i) !== trace.id) continue;
    trace.home = -1;
    const blocker = head === undefined ? undefined : placeMissing(state, instance, head);
    const behind = head === trace.id ? undefined : head;
    trace.enter(trace.nowSeconds, instance.index, { kind: 'pull', blocker, behind });
  }
}

/** The traced request's KV goes over the link, after what is on it. */
function tellSent(state: RunState, lane: number, sent: SentTransfer, kvTokens: number): void {
  const { trace } = state;
  if (trace === undefined) return;
  const { startSeconds, endSeconds, ahead } = sent;
  trace.enter(trace.nowSeconds, lane, { kind: 'link', ahead });
  trace.work(startSeconds, endSeconds, lane, { kind: 'transfer', kvTokens });
}

/**
 * Prefill and decode apart. A prompt keeps its blocks on the prefill side until its KV has moved; the
 * decode side pulls, first come first served, whenever something ends or arrives there and its own
 * admission rule has room, so during a transfer both sides hold the blocks. A request that decoding
 * preempts is computed again where it was prefilled.
 *
 * With a pull threshold the decode side takes blocks for the token to be fed besides, and pulls only
 * while those on their way need less than a share of its blocks; nobody on the way lets any pull.
 */
export function poolsFleet(options: PoolsOptions): Fleet {
  const { prefill, decode, links, clientIds, name, pull, maxDecodeSequences } = options;
  const first = prefill.length;
  const lanesPerLink = decode.length / links.length;
  const share = pull.type === 'threshold' ? pull.share : undefined;
  const sides: readonly DecodeSide[] = decode.map((instance, i) => ({
    instance,
    link: links[Math.floor(i / lanesPerLink)] as Link,
    unpulled: createIdQueue(),
    arrived: createIdQueue(),
    waitingBlocks: 0,
    mustPull: false,
    mayPull: false,
  }));
  /** Prefill replica whose blocks hold the request's KV, and the side that it was assigned to. */
  const sourceOf = new Map<number, Instance>();
  const sideOf = new Map<number, DecodeSide>();
  const instances = [...prefill, ...decode];
  let lastSeconds = 0;

  const isWaiting = () => share !== undefined && sides.some(({ mayPull }) => mayPull);

  /** Blocks of the token to be fed, where it needs one of its own. */
  function blocksAhead({ parts, requests }: RunState, id: number): number {
    if (share === undefined) return 0;
    const { alloc } = parts;
    const prefilled = requests.prefillTokens[id] as number;
    return alloc.entryBlocks(prefilled + 1) - alloc.entryBlocks(prefilled);
  }

  function mayTake(state: RunState, side: DecodeSide, id: number): boolean {
    const { admission, alloc } = state.parts;
    const { instance } = side;
    if (share === undefined)
      return instance.holders < maxDecodeSequences && admission.fits(instance, id);
    const ahead = blocksAhead(state, id);
    const needed = alloc.entryBlocks(state.requests.prefillTokens[id] as number) + ahead;
    const isUnder =
      side.waitingBlocks === 0 || side.waitingBlocks + needed < share * instance.blocksTotal;
    if (!isUnder) return false;
    instance.blocksUsed += ahead;
    const fits = admission.fits(instance, id);
    instance.blocksUsed -= ahead;
    return fits;
  }

  function pullInto(state: RunState, side: DecodeSide, now: number, touch: Touch): void {
    const { instance, unpulled } = side;
    // What a run under way has taken by now counts.
    if (side.mayPull) touch(instance);
    side.mustPull = false;
    side.mayPull = false;
    while (unpulled.length > 0) {
      const id = unpulled.at(0);
      if (!mayTake(state, side, id)) {
        tellPulling(state, side, id);
        return;
      }
      unpulled.popFront();
      // What a run under way may still take has changed.
      touch(instance);
      const before = instance.blocksUsed;
      takeBlocks(state, instance, id);
      instance.blocksUsed += blocksAhead(state, id);
      side.waitingBlocks += instance.blocksUsed - before;
      // The token that the prefill emitted has no KV yet.
      const kvTokens = (state.requests.processed[id] as number) - 1;
      const sent = side.link.send(id, kvTokens, now);
      if (state.trace?.id === id) {
        const link = Math.floor(sides.indexOf(side) / lanesPerLink);
        tellSent(state, first + decode.length + link, sent, kvTokens);
      }
    }
  }

  function joinArrived(state: RunState, side: DecodeSide): void {
    const { instance, arrived } = side;
    const seats = share === undefined ? Infinity : maxDecodeSequences;
    while (arrived.length > 0 && instance.decodingCount < seats) {
      const id = arrived.popFront();
      const { alloc } = state.parts;
      const ahead = blocksAhead(state, id);
      side.waitingBlocks -= alloc.entryBlocks(state.requests.prefillTokens[id] as number) + ahead;
      joinDecoding(state, instance, id, 1);
      if (share === undefined) continue;
      side.mayPull = side.unpulled.length > 0;
      if (instance.prepaidStep !== instance.step) instance.prepaidCount = 0;
      instance.prepaidStep = instance.step;
      instance.prepaidCount += ahead;
      state.prepaid[id] = ahead > 0 ? instance.step : -1;
    }
  }

  return {
    instances,
    formsInOrder: share !== undefined,
    admit(state, id, touch) {
      const route = options.routePrompt(prefill, clientIds[id] as number);
      const instance = prefill[route] as Instance;
      touch(instance);
      instance.outstanding++;
      instance.outstandingTokens += state.requests.totalTokens[id] as number;
      instance.queue.arrive(id, instance.step);
      state.waiting++;
      tellQueued(state, instance, id);
    },
    onPrefilled(state, instance, id, touch) {
      sourceOf.set(id, instance);
      const side = sides[options.routeDecode(decode, clientIds[id] as number)] as DecodeSide;
      sideOf.set(id, side);
      side.instance.outstanding++;
      side.instance.outstandingTokens += state.requests.totalTokens[id] as number;
      side.unpulled.pushBack(id);
      side.mustPull = true;
      touch(side.instance);
      if (state.trace?.id === id) tellPulling(state, side, undefined);
      return true;
    },
    onPreempted(state, instance, id, touch) {
      const source = sourceOf.get(id) as Instance;
      const tokens = state.requests.totalTokens[id] as number;
      instance.outstanding--;
      instance.outstandingTokens -= tokens;
      source.outstanding++;
      source.outstandingTokens += tokens;
      touch(source);
      source.queue.giveBack(id, source.step);
      state.waiting++;
      tellQueued(state, source, id);
      (sides[instance.index - first] as DecodeSide).mustPull = true;
    },
    onCompleted(instance) {
      const side = sides[instance.index - first];
      if (side !== undefined) side.mustPull = true;
    },
    isPending: () => sides.some(({ mustPull }) => mustPull),
    nextEventSeconds() {
      let next = Infinity;
      for (const link of links) next = Math.min(next, link.nextEndSeconds());
      // The end of any iteration is an event for who may pull at the next one.
      if (isWaiting())
        for (const instance of instances)
          next = Math.min(next, iterationEndSeconds(instance, lastSeconds));
      return next;
    },
    handleEvents(state, now, touch) {
      if (isWaiting()) for (const instance of instances) if (instance.isBusy) touch(instance);
      for (const link of links) {
        while (link.nextEndSeconds() <= now) {
          const id = link.finish();
          const side = sideOf.get(id) as DecodeSide;
          const source = sourceOf.get(id) as Instance;
          const { alloc } = state.parts;
          const blocks = alloc.entryBlocks(state.requests.prefillTokens[id] as number);
          touch(source);
          returnBlocks(state, source, id, blocks, false);
          source.outstanding--;
          source.outstandingTokens -= state.requests.totalTokens[id] as number;
          touch(side.instance);
          side.arrived.pushBack(id);
          tellQueued(state, side.instance, id);
        }
      }
    },
    beforeDispatch(state, now, touch) {
      lastSeconds = now;
      if (share !== undefined)
        for (const side of sides)
          if (side.mustPull || side.mayPull) pullInto(state, side, now, touch);
      for (const side of sides) {
        const { instance } = side;
        if (!instance.isBusy) {
          joinArrived(state, side);
          if (instance.decodingCount > 0) touch(instance);
        }
        if (share === undefined && side.mustPull) pullInto(state, side, now, touch);
      }
    },
    lanes: () => [
      ...takeRunLanes(prefill, 'prefill', `${name} prefill`),
      ...takeRunLanes(decode, 'decode', `${name} decode`),
      ...links.map(({ log }, i) => takeLinkLane(log, `link-${i}`, `KV link to decode ${i}`)),
    ],
  };
}
