import type { EventLoop } from '../core/event-loop';
import { createCalendar } from './calendar';
import { logUnfinished } from './commit-run';
import type { Fleet } from './fleet';
import type { Instance } from './instance';
import { finishRun, settleRun, startRun } from './iteration';
import type { RunState } from './run-state';

/**
 * The discrete-event loop. At one instant: first every arrival up to it, then transfers that end,
 * then iterations that end, then what any of these touched forms its next iteration: the order that
 * Vidur's event queue amounts to. A replica's next event is the end of a whole run of iterations; an
 * arrival that it gets shortens the run to the iteration under way.
 *
 * @param refuse says why a request can never run, or undefined
 */
export function createRunLoop(
  state: RunState,
  fleet: Fleet,
  refuse: (id: number) => string | undefined,
): EventLoop {
  const { requests, horizonSeconds } = state;
  const { instances } = fleet;
  const backlog = new Int32Array(requests.count);
  const calendar = createCalendar(instances.length);
  const dirty: number[] = [];
  let arrived = 0;
  let now = 0;
  let isFinished = false;

  function touch(instance: Instance): void {
    if (instance.isBusy) {
      const before = instance.endSeconds;
      settleRun(state, instance, now);
      if (instance.endSeconds !== before) calendar.set(instance.index, instance.endSeconds);
      return;
    }
    if (instance.isDirty) return;
    instance.isDirty = true;
    dirty.push(instance.index);
  }

  state.hooks.onPrefilled = (instance, id) => fleet.onPrefilled(state, instance, id, touch);
  state.hooks.onCompleted = (instance) => fleet.onCompleted(instance);
  state.hooks.onPreempted = (instance, id) => fleet.onPreempted(state, instance, id, touch);

  function arrive(): void {
    const { arrivalSeconds } = requests;
    while (arrived < requests.count && (arrivalSeconds[arrived] as number) <= now) {
      backlog[arrived] = state.waiting;
      if (state.trace?.id === arrived) state.trace.arrived(arrivalSeconds[arrived] as number);
      const why = refuse(arrived);
      if (why === undefined) fleet.admit(state, arrived, touch);
      else {
        requests.refused[arrived] = 1;
        if (state.trace?.id === arrived) state.trace.refused(now, why);
      }
      arrived++;
    }
  }

  function dispatch(): void {
    do {
      fleet.beforeDispatch(state, now, touch);
      if (fleet.formsInOrder === true) dirty.sort((a, b) => a - b);
      // A replica may touch another one while it forms its iteration.
      for (let i = 0; i < dirty.length; i++) {
        const instance = instances[dirty[i] as number] as Instance;
        instance.isDirty = false;
        if (instance.isBusy) continue;
        if (startRun(state, instance, now)) calendar.set(instance.index, instance.endSeconds);
      }
      dirty.length = 0;
    } while (fleet.isPending());
  }

  return {
    advance(maxIterations) {
      const target = state.iterations + maxIterations;
      while (state.iterations < target) {
        const arrival =
          arrived < requests.count ? (requests.arrivalSeconds[arrived] as number) : Infinity;
        const next = Math.min(arrival, calendar.nextSeconds(), fleet.nextEventSeconds());
        if (next > horizonSeconds || next === Infinity) {
          if (!isFinished) for (const instance of instances) logUnfinished(state, instance);
          isFinished = true;
          return false;
        }
        now = next;
        if (state.trace !== undefined) state.trace.nowSeconds = now;
        if (arrival <= now) arrive();
        if (fleet.nextEventSeconds() <= now) fleet.handleEvents(state, now, touch);
        while (calendar.nextSeconds() <= now) {
          const instance = instances[calendar.nextIndex()] as Instance;
          finishRun(state, instance);
          calendar.set(instance.index, Infinity);
          touch(instance);
        }
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
