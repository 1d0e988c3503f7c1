import { createIdQueue, type IdQueue } from '../core/id-queue';
import { takeRunLane } from '../engine/run-log';
import { joinDecoding } from './decode-list';
import { enqueue, type Fleet, giveBack, type Place } from './fleet';
import { type PhasePair, retime } from './phase-pair';
import type { Replica } from './replica';
import { createShareLog, type ShareLog } from './share-log';
import type { State } from './state';
import { tellQueued, tellSlowed } from './tell-tracer';

interface Side extends PhasePair {
  /** Prefilled while an iteration of decodes was under way. */
  readonly arrived: IdQueue;
  readonly shares: ShareLog;
  /** Memory was returned, or somebody came: both lanes look again. */
  mustLook: boolean;
}

/**
 * Accelerators that run prompts and decodes at the same time, a lane of each over one pool of blocks.
 * A prompt that is done decodes where it is: nothing moves. Prompts take their blocks when they enter;
 * where decodes are then short of one, the last of them is computed again.
 *
 * Replicas are all prefill lanes and then all decode lanes, in the order of `pairs`.
 */
export function coResidentFleet(pairs: readonly PhasePair[], place: Place, name: string): Fleet {
  const sides: readonly Side[] = pairs.map((pair) => ({
    ...pair,
    arrived: createIdQueue(),
    shares: createShareLog(),
    mustLook: false,
  }));
  const prefill = pairs.map((pair) => pair.prefill);
  const decode = pairs.map((pair) => pair.decode);
  const sideOf = (index: number) => sides[index % sides.length] as Side;
  let lastSeconds = 0;
  const movesTokens = (state: State, id: number) => state.requests.totalTokens[id] as number;
  const retimeSide = (state: State, side: Side, now: number): void => {
    const { queue, step } = side.prefill;
    const first = queue.length > 0 ? queue.peek(step) : undefined;
    const since = first === undefined ? now : (state.requests.arrivalSeconds[first] as number);
    const onSlowed =
      state.trace === undefined
        ? undefined
        : (replica: Replica, lost: number) => tellSlowed(state, replica, lost);
    side.shares.mark(now, retime(side, now, now - since, onSlowed));
    lastSeconds = now;
  };
  return {
    replicas: [...prefill, ...decode],
    admit: (state, id, touch) => enqueue(state, prefill[place(state, prefill, id)], id, touch),
    onPrefilled(state, replica, id, touch) {
      const side = sideOf(replica.index);
      const { arrivalSeconds, firstTokenSeconds } = state.requests;
      const first = firstTokenSeconds[id] as number;
      if (first === state.nowSeconds)
        side.controller.onFirstToken(first - (arrivalSeconds[id] as number));
      const tokens = movesTokens(state, id);
      replica.outstanding--;
      replica.outstandingTokens -= tokens;
      side.decode.outstanding++;
      side.decode.outstandingTokens += tokens;
      side.arrived.pushBack(id);
      tellQueued(state, side.decode, id);
      side.mustLook = true;
      touch(side.decode);
      return true;
    },
    onPreempted(state, replica, id, touch) {
      const side = sideOf(replica.index);
      const tokens = movesTokens(state, id);
      replica.outstanding--;
      replica.outstandingTokens -= tokens;
      side.prefill.outstanding++;
      side.prefill.outstandingTokens += tokens;
      giveBack(state, side.prefill, id);
      side.mustLook = true;
      touch(side.prefill);
    },
    onCompleted(replica) {
      sideOf(replica.index).mustLook = true;
    },
    onStarted(state, replica, now) {
      const side = sideOf(replica.index);
      retimeSide(state, side, now);
      return replica === side.prefill ? side.decode : side.prefill;
    },
    onEnded(state, replica, now) {
      const side = sideOf(replica.index);
      if (replica === side.decode) {
        const { log } = replica;
        const count = log.decodeTokens[log.count - 1] as number;
        side.controller.onDecodes(now - replica.startSeconds, count);
      }
      retimeSide(state, side, now);
      return replica === side.prefill ? side.decode : side.prefill;
    },
    isPending: () => sides.some(({ mustLook }) => mustLook),
    nextEventSeconds: () => Infinity,
    handleEvents: () => undefined,
    beforeDispatch(state, _, touch) {
      for (const side of sides) {
        if (!side.decode.isBusy) {
          while (side.arrived.length > 0)
            joinDecoding(state, side.decode, side.arrived.popFront(), 1);
        }
        if (!side.mustLook) continue;
        side.mustLook = false;
        touch(side.prefill);
        touch(side.decode);
      }
    },
    laneCount: 3 * sides.length,
    lanes: () => [
      ...prefill.map(({ log, blocksTotal }, i) =>
        takeRunLane(log, `prefill-${i}`, `${name} ${i}, prompts`, 'prefill', blocksTotal),
      ),
      ...decode.map(({ log, blocksTotal }, i) => ({
        ...takeRunLane(log, `decode-${i}`, `${name} ${i}, decodes`, 'decode', blocksTotal),
        memoryOf: `prefill-${i}`,
      })),
      ...sides.map(({ shares }, i) =>
        shares.take(`share-${i}`, `${name} ${i}, shares of the SMs`, lastSeconds),
      ),
    ],
  };
}
