import type { Engine } from './engine';
import type { Replica } from './replica';
import type { Requests } from './requests';
import type { Topology } from './topology';

export interface EventLoop {
  /** Runs about `maxIterations` more iterations; false when nothing is left before the horizon. */
  advance(maxIterations: number): boolean;
  readonly nowSeconds: number;
  readonly arrived: number;
  /** Requests waiting anywhere, sampled at every arrival: the raw material of the stability test. */
  readonly backlog: Int32Array;
}

/**
 * The discrete-event loop. At one instant: first every arrival up to it, then transfers that end,
 * then iterations that end, then every idle replica starts what it can: the order that
 * Vidur's event queue amounts to).
 *
 * @param refuse says why a request can never run, or undefined
 */
export function createEventLoop(
  requests: Requests,
  topology: Topology,
  engine: Engine,
  horizonSeconds: number,
  refuse: (id: number) => string | undefined,
): EventLoop {
  const { replicas } = topology;
  const backlog = new Int32Array(requests.count);
  let arrived = 0;
  let now = 0;
  let finished = 0;

  function nextInstant(): number {
    let next = arrived < requests.count ? (requests.arrivalSeconds[arrived] as number) : Infinity;
    for (let i = 0; i < replicas.length; i++)
      next = Math.min(next, (replicas[i] as Replica).endSeconds);
    return Math.min(next, topology.nextEventSeconds());
  }

  function arrive(): void {
    while (arrived < requests.count && (requests.arrivalSeconds[arrived] as number) <= now) {
      let waiting = 0;
      for (let i = 0; i < replicas.length; i++) waiting += (replicas[i] as Replica).waiting.length;
      backlog[arrived] = waiting;
      if (refuse(arrived) === undefined) topology.admit(arrived);
      else requests.refused[arrived] = 1;
      arrived++;
    }
  }

  return {
    advance(maxIterations) {
      const target = engine.iterations + maxIterations;
      while (engine.iterations < target) {
        const next = nextInstant();
        if (next > horizonSeconds) {
          finished = 1;
          return false;
        }
        now = next;
        arrive();
        topology.handleEvents(now);
        for (let i = 0; i < replicas.length; i++) {
          const replica = replicas[i] as Replica;
          if (replica.endSeconds <= now) engine.finish(replica);
        }
        topology.dispatch(engine, now);
      }
      return finished === 0;
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
