import type { EventLoop } from '../core/event-loop';
import { createCalendar } from '../engine/calendar';
import type { Fleet } from './fleet';
import { createGateway, type GatewayOptions } from './gateway';
import { finishIteration, startIteration } from './iteration';
import { canPause, cutIfLessUrgent } from './pausing';
import type { Replica } from './replica';
import type { Sends } from './sends';
import type { State } from './state';
import { tellOutside, tellRefused } from './tell-tracer';

/** Events besides sends, transfers between pools and ends of iterations: loads, pins, retries. */
export interface SideEvents {
  nextSeconds(): number;
  handle(now: number, touch: (replica: Replica) => void): void;
}

/** Requests refused for other reasons than their size. */
export interface Refusals {
  /** Because a request that they come of was refused. */
  orphaned: number;
  /** Because no replica took them in time. */
  timedOut: number;
  /** Because they waited past their limit. */
  late: number;
  /** Because no replica was predicted to be fast enough. */
  early: number;
}

/**
 * The discrete-event loop, one iteration at a time. At one instant: first what is sent up to it, then
 * transfers that end, then iterations that end, then what they in turn cause to be sent, then what
 * any of these touched forms its next iteration.
 *
 * @param refuse says why a request can never run, or undefined
 */
export function createGeneralLoop(
  state: State,
  fleet: Fleet,
  sends: Sends,
  others: readonly SideEvents[],
  retry: Pick<GatewayOptions, 'retrySeconds' | 'timeoutSeconds'>,
  tally: Refusals,
  refuse: (id: number) => string | undefined,
): EventLoop {
  const { requests, horizonSeconds, hooks } = state;
  const { replicas } = fleet;
  const backlog = new Int32Array(requests.count);
  const calendar = createCalendar(replicas.length);
  const dirty: number[] = [];
  /** Busy replicas at which something came that may be more urgent. */
  const asked: Replica[] = [];
  let arrived = 0;
  let now = 0;
  let isFinished = false;

  function touch(replica: Replica): void {
    if (replica.isBusy && !replica.isAsked && canPause(state, replica)) {
      replica.isAsked = true;
      asked.push(replica);
    }
    if (replica.isBusy || replica.isDirty) return;
    replica.isDirty = true;
    dirty.push(replica.index);
  }

  const { onCompleted } = hooks;
  hooks.onPrefilled = (replica, id) => fleet.onPrefilled(state, replica, id, touch);
  hooks.onPreempted = (replica, id) => fleet.onPreempted(state, replica, id, touch);
  hooks.onCompleted = (replica, id) => {
    onCompleted(replica, id);
    fleet.onCompleted(replica);
    sends.onEnded(id, now);
  };

  function refuseWith(id: number, why: string): void {
    requests.refused[id] = 1;
    tellRefused(state, id, why);
    hooks.onRefused(id);
    for (const each of sends.descendants(id)) {
      if (requests.refused[each] === 1) continue;
      tally.orphaned++;
      requests.refused[each] = 1;
      hooks.onRefused(each);
      requests.arrivalSeconds[each] = now;
      tellRefused(state, each, `comes of request ${id}, which was refused,`);
    }
  }

  hooks.onGivenUp = (id) => {
    tally.late++;
    hooks.onDropped(id);
    refuseWith(id, 'had waited past its limit before it could begin');
  };
  const gateway = createGateway({
    ...retry,
    nowSeconds: () => now,
    admit: (id) => fleet.admit(state, id, touch),
    onHeld: (id) => tellOutside(state, id),
    onTimeout(id) {
      tally.timedOut++;
      hooks.onDropped(id);
      refuseWith(id, 'was taken by no replica in time');
    },
  });
  hooks.onEncoded = gateway.send;
  const side = [...others, gateway];

  function send(): void {
    while (sends.nextSeconds() <= now) {
      const id = sends.take();
      backlog[arrived++] = state.waiting + gateway.held;
      const why = refuse(id);
      if (why !== undefined) {
        refuseWith(id, why);
        continue;
      }
      if (state.trace?.id === id) state.trace.arrived(requests.arrivalSeconds[id] as number);
      hooks.onSent(id);
      if (!hooks.encodes(id)) gateway.send(id);
    }
  }

  function moveEnd(other: Replica | undefined): void {
    if (other?.isBusy === true) calendar.set(other.index, other.endSeconds);
  }

  function dispatch(): void {
    for (const replica of asked.splice(0)) {
      replica.isAsked = false;
      if (replica.isBusy && cutIfLessUrgent(state, replica, now)) moveEnd(replica);
    }
    do {
      fleet.beforeDispatch(state, now, touch);
      // A replica may touch another one while it forms its iteration.
      for (let i = 0; i < dirty.length; i++) {
        const replica = replicas[dirty[i] as number] as Replica;
        replica.isDirty = false;
        if (replica.isBusy) continue;
        if (!startIteration(state, replica)) continue;
        moveEnd(fleet.onStarted?.(state, replica, now));
        moveEnd(replica);
      }
      dirty.length = 0;
    } while (fleet.isPending());
  }

  function nextInstant(): number {
    let next = Math.min(sends.nextSeconds(), calendar.nextSeconds(), fleet.nextEventSeconds());
    for (let i = 0; i < side.length; i++)
      next = Math.min(next, (side[i] as SideEvents).nextSeconds());
    return next;
  }

  return {
    advance(maxIterations) {
      const target = state.iterations + maxIterations;
      while (state.iterations < target) {
        const next = nextInstant();
        if (next > horizonSeconds || next === Infinity) {
          isFinished = true;
          return false;
        }
        if (next < now) throw new RangeError(`time goes back: from ${now} s to ${next} s`);
        now = next;
        state.nowSeconds = now;
        send();
        if (fleet.nextEventSeconds() <= now) fleet.handleEvents(state, now, touch);
        for (const each of side) if (each.nextSeconds() <= now) each.handle(now, touch);
        while (calendar.nextSeconds() <= now) {
          const replica = replicas[calendar.nextIndex()] as Replica;
          finishIteration(state, replica);
          calendar.set(replica.index, Infinity);
          moveEnd(fleet.onEnded?.(state, replica, now));
          touch(replica);
        }
        // A gap of zero sends the next turn at the instant at which the one before ends.
        send();
        dispatch();
      }
      return !isFinished;
    },
    get nowSeconds() {
      return now;
    },
    get arrived() {
      return arrived;
    },
    backlog,
  };
}
