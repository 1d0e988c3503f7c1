import type { RoleControlPart } from '../../spec/kinds/serve-encode';
import { chooseSwitch, type Stage } from '../parts/role-control';
import type { Encoders } from './encoders';
import type { Estimator } from './estimator';
import type { SideEvents } from './event-loop';
import type { Touch } from './fleet';
import type { Replica } from './replica';
import { createDueHeap } from './sends';
import type { State } from './state';

/** Accelerators that change between encoding, prefill and decoding. */
export interface RoleControl extends SideEvents {
  /** Whether a replica gets new requests. */
  isActive(replica: Replica): boolean;
  /** Givers that have done what they had begin to change. */
  settle(now: number): void;
  /** The first request has been sent: from then on there are looks. */
  begin(now: number): void;
  readonly switches: number;
}

export interface RoleControlOptions {
  readonly part: Extract<RoleControlPart, { type: 'longest-queue' }>;
  readonly encoders: Encoders;
  /** As many of each as there are accelerators; those that have the role now are active. */
  readonly prefill: readonly Replica[];
  readonly decode: readonly Replica[];
  readonly active: { readonly prefill: number; readonly decode: number };
  readonly estimator: Estimator;
  readonly state: () => State;
  /** Requests that wait for a place to decode. */
  readonly unpulled: () => Iterable<number>;
  readonly isOver: () => boolean;
}

/** Of a decode batch by which waiting tokens are turned into seconds. */
const MOST_BATCH = 128;

/**
 * Looks at the queues every so often, as seconds of work for each worker, and lets one worker change at a
 * time: it takes no more requests, ends those that it has, loads for `switchSeconds`, and joins.
 */
export function createRoleControl(options: RoleControlOptions): RoleControl {
  const { part, encoders, estimator } = options;
  const pools = { prefill: options.prefill, decode: options.decode };
  const active = new Set<Replica>([
    ...options.prefill.slice(0, options.active.prefill),
    ...options.decode.slice(0, options.active.decode),
  ]);
  let draining: { readonly isDone: () => boolean; readonly to: Stage } | undefined;
  const joining = createDueHeap();
  const stages: Stage[] = [];
  let nextLook = Infinity;
  let switches = 0;

  function decodeSeconds(): number {
    const { requests, parts } = options.state();
    const batch = Math.min(MOST_BATCH, parts.admission.maxSequences);
    let tokens = 0;
    let context = 0;
    let count = 0;
    for (const id of options.unpulled()) {
      tokens += (requests.totalTokens[id] as number) - (requests.processed[id] as number);
      context += requests.processed[id] as number;
      count++;
    }
    if (count === 0) return 0;
    return (tokens * estimator.decodeSeconds(batch, (batch * context) / count)) / batch;
  }
  const countOf = (list: readonly Replica[]) =>
    list.reduce((sum, each) => sum + (active.has(each) ? 1 : 0), 0);

  function look(): void {
    if (draining !== undefined || stages.length > 0) return;
    const workers = {
      encode: encoders.active,
      prefill: countOf(pools.prefill),
      decode: countOf(pools.decode),
    };
    const queues = {
      encode: encoders.waitingSeconds() / workers.encode,
      prefill:
        pools.prefill.reduce((sum, { queuedSeconds }) => sum + queuedSeconds, 0) / workers.prefill,
      decode: decodeSeconds() / workers.decode,
    };
    const change = chooseSwitch(queues, workers);
    if (change === undefined) return;
    const { from, to } = change;
    if (from === 'encode') {
      const place = encoders.retire();
      draining = { to, isDone: () => encoders.isIdle(place) };
      return;
    }
    const giver = pools[from]
      .filter((each) => active.has(each))
      .reduce((least, each) => (each.outstanding < least.outstanding ? each : least));
    active.delete(giver);
    draining = { to, isDone: () => giver.outstanding === 0 && !giver.isBusy };
  }

  return {
    isActive: (replica) => active.has(replica),
    get switches() {
      return switches;
    },
    settle(now) {
      if (draining?.isDone() !== true) return;
      stages.push(draining.to);
      joining.push(now + part.switchSeconds, 0);
      draining = undefined;
    },
    begin(now) {
      if (nextLook === Infinity) nextLook = now + part.everySeconds;
    },
    nextSeconds: () => Math.min(nextLook, joining.firstSeconds()),
    handle(now, touch: Touch) {
      while (joining.firstSeconds() <= now) {
        joining.pop();
        const to = stages.shift() as Stage;
        switches++;
        if (to === 'encode') encoders.enlist();
        else {
          const place = pools[to].find((each) => !active.has(each) && each.outstanding === 0);
          if (place === undefined) throw new RangeError(`no place for another ${to} replica`);
          active.add(place);
          touch(place);
        }
      }
      if (nextLook > now) return;
      look();
      // Without an end of the looks a run would have none.
      nextLook = options.isOver() ? Infinity : now + part.everySeconds;
    },
  };
}
