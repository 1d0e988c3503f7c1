import { programsOf, turnsAmong } from '../program-turns';
import type { ServeResult, TimelineLane } from '../types';
import { micros, rowBegunBy, slices } from './events';

/** A row that a request is in: the arrow passes through its middle. */
interface Stop {
  readonly lane: number;
  readonly row: number;
}

/** Middles of rows, lane by lane, made when a lane is first asked for. */
function middlesOf(lanes: readonly TimelineLane[]) {
  const known = new Map<number, Float64Array>();
  return ({ lane, row }: Stop): number => {
    let middles = known.get(lane);
    if (middles === undefined) {
      const of = slices(lanes[lane] as TimelineLane);
      middles = Float64Array.from(of, ({ start, duration }) => start + Math.floor(duration / 2));
      known.set(lane, middles);
    }
    return middles[row] as number;
  };
}

/** Rows of links and stores by request. */
function movesOf(lanes: readonly TimelineLane[]): ReadonlyMap<number, readonly Stop[]> {
  const moves = new Map<number, Stop[]>();
  lanes.forEach(({ requestIds }, lane) => {
    requestIds?.forEach((id, row) => {
      if (id < 0) return;
      const own = moves.get(id);
      if (own === undefined) moves.set(id, [{ lane, row }]);
      else own.push({ lane, row });
    });
  });
  return moves;
}

/**
 * Arrows of each request from the first iteration of its prompt to the last of its decode, by the
 * links and stores on its way; and of each turn of a program to the one that it was sent after.
 *
 * @param count of the requests, from the first on
 */
export function* flowEvents({ lanes, requests }: ServeResult, count: number): Generator<string> {
  const middleOf = middlesOf(lanes);
  const moves = movesOf(lanes);
  /** The row of a lane that covers an instant, its end included where `isEnd`. */
  const rowAt = (lane: number, seconds: number, isEnd: boolean): Stop | undefined => {
    const of = lanes[lane];
    if (of === undefined || Number.isNaN(seconds)) return undefined;
    const slack = 1e-9 * Math.max(1, seconds);
    const row = rowBegunBy(of, isEnd ? seconds - slack : seconds + slack);
    if (row < 0) return undefined;
    const end = (of.startSeconds[row] as number) + (of.durationSeconds[row] as number);
    return end >= seconds - slack ? { lane, row } : undefined;
  };

  function* arrow(id: string, name: string, stops: readonly Stop[]): Generator<string> {
    for (const [i, stop] of stops.entries()) {
      const ph = i === 0 ? 's' : i === stops.length - 1 ? 'f' : 't';
      const end = ph === 'f' ? ',"bp":"e"' : '';
      yield `{"ph":"${ph}","name":"${name}","cat":"flow","id":"${id}"${end},"pid":${stop.lane},"tid":0,"ts":${micros(middleOf(stop))}}`;
    }
  }

  /** The rows that a request goes through, in order of time. */
  function stopsOf(id: number): readonly Stop[] {
    const prefillLane = requests.prefillLane[id] as number;
    const decodeLane = requests.decodeLane[id] as number;
    const firstToken = requests.firstTokenSeconds[id] as number;
    const decodes = lanes[decodeLane];
    const begun = decodes === undefined ? -1 : rowBegunBy(decodes, firstToken - 1e-9) + 1;
    const isDecoded = decodes !== undefined && begun < decodes.startSeconds.length;
    const last = rowAt(decodeLane, requests.completedSeconds[id] as number, true);
    const lastAt = last === undefined ? Infinity : middleOf(last);
    return [
      rowAt(prefillLane, requests.firstScheduledSeconds[id] as number, false),
      rowAt(prefillLane, firstToken, true),
      ...(moves.get(id) ?? []),
      isDecoded ? { lane: decodeLane, row: begun } : undefined,
      last,
    ]
      .filter((stop) => stop !== undefined)
      .filter((stop) => middleOf(stop) <= lastAt)
      .sort((a, b) => middleOf(a) - middleOf(b))
      .filter((stop, i, all) => {
        const before = all[i - 1];
        return before === undefined || before.lane !== stop.lane || before.row !== stop.row;
      });
  }

  for (let id = 0; id < count; id++) {
    const stops = stopsOf(id);
    if (stops.length > 1) yield* arrow(`r${id}`, 'request', stops);
  }
  for (const ids of programsOf(requests)) {
    for (const turn of turnsAmong(requests, ids)) {
      if (turn.id >= count || turn.after === undefined) continue;
      const from = stopsOf(turn.after).at(-1);
      const to = stopsOf(turn.id)[0];
      if (from !== undefined && to !== undefined)
        yield* arrow(`p${turn.id}`, 'next turn', [from, to]);
    }
  }
}
