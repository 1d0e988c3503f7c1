import { createIdQueue, type IdQueue } from '../core/id-queue';
import type { Link, SentTransfer } from '../core/link';
import { takeLane } from '../core/replica';
import type { Router } from '../parts/router';
import { joinDecoding } from './decode-set';
import type { Fleet } from './fleet';
import type { Instance } from './instance';
import { returnBlocks, takeBlocks } from './memory';
import { takeRunLane } from './run-log';
import type { RunState } from './run-state';
import { placeMissing, tellQueued } from './tell-tracer';

export interface PoolsOptions {
  readonly prefill: readonly Instance[];
  readonly decode: readonly Instance[];
  /** One ingress link per decode replica. */
  readonly links: readonly Link[];
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
  /** Transferred, waiting for the iteration under way to end. */
  readonly arrived: IdQueue;
  mustPull: boolean;
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
 */
export function poolsFleet(options: PoolsOptions): Fleet {
  const { prefill, decode, links, clientIds, name } = options;
  const first = prefill.length;
  const sides: readonly DecodeSide[] = decode.map((instance, i) => ({
    instance,
    link: links[i] as Link,
    unpulled: createIdQueue(),
    arrived: createIdQueue(),
    mustPull: false,
  }));
  /** Prefill replica whose blocks hold the request's KV. */
  const sourceOf = new Map<number, Instance>();

  return {
    instances: [...prefill, ...decode],
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
      for (const { link } of sides) next = Math.min(next, link.nextEndSeconds());
      return next;
    },
    handleEvents(state, now, touch) {
      for (const side of sides) {
        while (side.link.nextEndSeconds() <= now) {
          const id = side.link.finish();
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
      const { admission } = state.parts;
      const { processed } = state.requests;
      for (const side of sides) {
        const { instance, unpulled, arrived } = side;
        if (!instance.isBusy) {
          while (arrived.length > 0) joinDecoding(state, instance, arrived.popFront(), 1);
          if (instance.decodingCount > 0) touch(instance);
        }
        if (!side.mustPull) continue;
        side.mustPull = false;
        while (unpulled.length > 0 && instance.holders < admission.maxSequences) {
          const id = unpulled.at(0);
          if (!admission.fits(instance, id)) break;
          unpulled.popFront();
          // What a run under way may still take has changed.
          touch(instance);
          takeBlocks(state, instance, id);
          // The token that the prefill emitted has no KV yet.
          const kvTokens = (processed[id] as number) - 1;
          const sent = side.link.send(id, kvTokens, now);
          if (state.trace?.id === id) {
            const lane = first + decode.length + sides.indexOf(side);
            tellSent(state, lane, sent, kvTokens);
          }
        }
        if (unpulled.length > 0) tellPulling(state, side, unpulled.at(0));
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
