import type { RequestColumns } from './types';

/** One request of a program, by the columns of its run. */
export interface Turn {
  readonly id: number;
  readonly sentSeconds: number;
  readonly firstScheduledSeconds: number;
  readonly firstTokenSeconds: number;
  /** NaN where it did not complete. */
  readonly completedSeconds: number;
  readonly prefillLane: number;
  readonly decodeLane: number;
  readonly isRefused: boolean;
  /** The turn that ended last before this one was sent, and how long ago that was. */
  readonly after: number | undefined;
  readonly gapSeconds: number;
}

/** Turns of the program of a request, as they were sent; none where it has no program, or is all of it. */
export function turnsOf(requests: RequestColumns, id: number): readonly Turn[] {
  const { programIds } = requests;
  if (programIds === undefined) return [];
  const own: number[] = [];
  for (let i = 0; i < programIds.length; i++) if (programIds[i] === programIds[id]) own.push(i);
  const turns = turnsAmong(requests, own);
  return turns.length < 2 ? [] : turns;
}

/** Requests of each program, in their order. */
export function programsOf({ programIds }: RequestColumns): readonly (readonly number[])[] {
  const programs = new Map<number, number[]>();
  programIds?.forEach((program, i) => {
    const own = programs.get(program);
    if (own === undefined) programs.set(program, [i]);
    else own.push(i);
  });
  return [...programs.values()];
}

/** The turns that the requests of one program are, those left out that were never sent. */
export function turnsAmong(requests: RequestColumns, ids: readonly number[]): readonly Turn[] {
  const { arrivalSeconds, completedSeconds } = requests;
  const own = ids.filter((each) => !Number.isNaN(arrivalSeconds[each]));
  own.sort((a, b) => (arrivalSeconds[a] as number) - (arrivalSeconds[b] as number) || a - b);
  return own.map((each, t) => {
    const sent = arrivalSeconds[each] as number;
    let after: number | undefined;
    let ended = -Infinity;
    for (const other of own.slice(0, t)) {
      const end = completedSeconds[other] as number;
      if (end > sent || !(end > ended)) continue;
      ended = end;
      after = other;
    }
    return {
      id: each,
      sentSeconds: sent,
      firstScheduledSeconds: requests.firstScheduledSeconds[each] as number,
      firstTokenSeconds: requests.firstTokenSeconds[each] as number,
      completedSeconds: completedSeconds[each] as number,
      prefillLane: requests.prefillLane[each] as number,
      decodeLane: requests.decodeLane[each] as number,
      isRefused: requests.refused[each] === 1,
      after,
      gapSeconds: after === undefined ? 0 : sent - ended,
    };
  });
}
