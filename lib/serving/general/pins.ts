import type { RequestPrograms } from '../../workload/types';
import type { Requests } from '../core/requests';
import type { PinSeconds } from '../parts/ttl';
import type { Estimator } from './estimator';
import type { SideEvents } from './event-loop';
import { dropBlocks } from './memory';
import type { Replica } from './replica';
import type { Sends } from './sends';
import { firstFollowers } from './session-book';
import type { State } from './state';

interface Pin {
  readonly id: number;
  readonly program: number;
  readonly replica: Replica;
  readonly until: number;
}

/** Turns whose KV stays held while their program is away. */
export interface Pins extends SideEvents {
  /** A turn is complete: whether its blocks stay. */
  keeps(replica: Replica, id: number): boolean;
  /** A request has been sent: the gap before it is known now. */
  onSent(id: number): void;
  /** It was sent, and nobody took it. */
  onDropped(id: number): void;
  /** The next turn has entered and holds what it needs. */
  onEntered(id: number): void;
  /** Gives up the pin of the program that came last, `id`'s own only when there is no other. */
  yieldFrom(replica: Replica, id: number): boolean;
  readonly pinned: number;
  pinnedAt(replica: Replica): number;
}

/** Gaps and delays that are remembered. */
const REMEMBERED = 256;

/**
 * Time-to-live pins: blocks of a turn whose program goes on stay held for `pinSeconds`, or until its
 * next turn, which has been sent by then, has entered. Where nothing runs and the first of the queue
 * has no place, or where decoding runs short, pins are given up, the newest program's first.
 */
export function createPins(
  state: State,
  programs: RequestPrograms,
  lanesOf: (replica: Replica) => readonly Replica[],
  sends: Sends,
  pinSeconds: PinSeconds,
  estimator: Estimator,
): Pins {
  const { requests } = state;
  const pins: Pin[] = [];
  const firstSend = new Map<number, number>();
  const lastEnd = new Map<number, number>();
  const waiting = new Map<number, number>();
  const gaps: number[] = [];
  const recentGaps: number[] = [];
  /** The same by tool. */
  const toolGaps = new Map<number, { readonly sorted: number[]; readonly recent: number[] }>();
  const delays: number[] = [];
  let sizeSum = 0;
  let sizeCount = 0;

  const { programIds, tools } = programs;
  const toolBefore = (id: number) => tools?.[id] ?? 0;
  const followers = firstFollowers(programs, requests.count);
  const nextTool = (id: number) => toolBefore(followers[id] as number);
  const programOf = (id: number) => programIds[id] as number;
  function unpin(pin: Pin): void {
    pins.splice(pins.indexOf(pin), 1);
    dropBlocks(state, pin.replica, pin.id);
  }
  function stopWaiting(id: number): void {
    waiting.set(programOf(id), (waiting.get(programOf(id)) ?? 0) - 1);
  }
  const isDue = (pin: Pin) => (waiting.get(pin.program) ?? 0) === 0;

  return {
    get pinned() {
      return pins.length;
    },
    pinnedAt: (replica) => pins.filter((pin) => pin.replica.cache === replica.cache).length,
    nextSeconds() {
      let next = Infinity;
      for (const pin of pins) if (pin.until < next && isDue(pin)) next = pin.until;
      // A turn that waited when its pin ran out has entered, and the pin with it.
      return Math.max(next, state.nowSeconds);
    },
    handle(now, touch) {
      for (const pin of pins.filter((each) => each.until <= now && isDue(each))) {
        unpin(pin);
        // Whoever has the same memory may go on.
        for (const lane of lanesOf(pin.replica)) touch(lane);
      }
    },
    keeps(replica, id) {
      const now = state.nowSeconds;
      lastEnd.set(programOf(id), now);
      const size = requests.blocksHeld[id] as number;
      sizeSum += size;
      sizeCount++;
      if (replica.cache === undefined || !sends.hasSuccessors(id)) return false;
      const seconds = pinSeconds({
        reloadSeconds: estimator.prefillSeconds(0, (requests.totalTokens[id] as number) - 1),
        queueSeconds: mean(delays),
        relativeSize: size / (sizeSum / sizeCount),
        gapsSeconds: gaps,
        toolGapsSeconds: toolGaps.get(nextTool(id))?.sorted ?? [],
        usedShare: replica.blocksUsed / replica.blocksTotal,
      });
      if (seconds <= 0) return false;
      pins.push({ id, program: programOf(id), replica, until: now + seconds });
      return true;
    },
    onSent(id) {
      const program = programOf(id);
      const end = lastEnd.get(program);
      if (end === undefined) firstSend.set(program, state.nowSeconds);
      else {
        remember(gaps, recentGaps, state.nowSeconds - end);
        const tool = toolBefore(id);
        const known = toolGaps.get(tool) ?? { sorted: [], recent: [] };
        toolGaps.set(tool, known);
        remember(known.sorted, known.recent, state.nowSeconds - end);
      }
      waiting.set(program, (waiting.get(program) ?? 0) + 1);
    },
    onDropped: stopWaiting,
    onEntered(id) {
      const program = programOf(id);
      stopWaiting(id);
      delays.push(waitOf(requests, id));
      if (delays.length > REMEMBERED) delays.shift();
      for (const pin of pins.filter((each) => each.program === program)) unpin(pin);
    },
    yieldFrom(replica, id) {
      const own = id < 0 ? -1 : programOf(id);
      let newest: Pin | undefined;
      const newness = (pin: Pin) =>
        pin.program === own ? -Infinity : (firstSend.get(pin.program) as number);
      for (const pin of pins) {
        if (pin.replica.cache !== replica.cache) continue;
        if (newest === undefined || newness(pin) > newness(newest)) newest = pin;
      }
      if (newest === undefined) return false;
      unpin(newest);
      return true;
    },
  };
}

const mean = (values: readonly number[]) =>
  values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length;

const waitOf = ({ firstScheduledSeconds, arrivalSeconds }: Requests, id: number) =>
  (firstScheduledSeconds[id] as number) - (arrivalSeconds[id] as number);

/** Keeps the last values sorted. */
function remember(sorted: number[], recent: number[], value: number): void {
  const place = (of: number) => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sorted[middle] as number) < of) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  recent.push(value);
  sorted.splice(place(value), 0, value);
  if (recent.length > REMEMBERED) sorted.splice(place(recent.shift() as number), 1);
}
