/** Where a request stands among the turns of its session. */
export interface SessionTurn {
  readonly seconds: number;
  readonly programId: number;
  readonly predecessors: readonly number[];
  readonly gapSeconds: number;
}

/** Ties the requests of a session, as they come, one to the next. */
export interface Sessions {
  /** Whether a session of that name has begun. */
  has(session: string | undefined): boolean;
  /** Whether any request named a session. */
  readonly isUsed: boolean;
  /**
   * Where the next request of a session stands; one of its own where there is no session.
   *
   * @param arrivalSeconds undefined only where the session has begun
   */
  next(
    session: string | undefined,
    arrivalSeconds: number | undefined,
    gapSeconds: number | undefined,
  ): SessionTurn;
  /** A request was left out: where its session has not begun, the next turn may begin it. */
  leftOut(session: string | undefined, arrivalSeconds: number | undefined): void;
  /** The request was kept, at this place. */
  added(session: string | undefined, place: number, seconds: number): void;
  notes(): readonly string[];
}

export function createSessions(): Sessions {
  const last = new Map<string, { place: number; seconds: number; programId: number }>();
  const starts = new Map<string, number>();
  let programs = 0;
  let isUsed = false;
  let withoutGap = 0;
  let early = 0;
  return {
    has: (session) => session !== undefined && (last.has(session) || starts.has(session)),
    get isUsed() {
      return isUsed;
    },
    next(session, arrivalSeconds, gapSeconds) {
      const before = session === undefined ? undefined : last.get(session);
      if (before === undefined)
        return {
          seconds: arrivalSeconds ?? starts.get(session ?? '') ?? 0,
          programId: programs++,
          predecessors: [],
          gapSeconds: 0,
        };
      if (gapSeconds === undefined) withoutGap++;
      if (arrivalSeconds !== undefined && arrivalSeconds < before.seconds) early++;
      return {
        seconds: Math.max(before.seconds, arrivalSeconds ?? before.seconds + (gapSeconds ?? 0)),
        programId: before.programId,
        predecessors: [before.place],
        gapSeconds: gapSeconds ?? 0,
      };
    },
    leftOut(session, arrivalSeconds) {
      if (session !== undefined && arrivalSeconds !== undefined && !starts.has(session))
        starts.set(session, arrivalSeconds);
    },
    added(session, place, seconds) {
      if (session === undefined) return;
      isUsed = true;
      // The program of a session's first request is the newest one.
      const programId = last.get(session)?.programId ?? programs - 1;
      last.set(session, { place, seconds, programId });
    },
    notes: () => [
      ...(withoutGap > 0
        ? [
            `${withoutGap} turns have no tool_gap_s: they are sent as soon as the turn before them is complete`,
          ]
        : []),
      ...(early > 0
        ? [`${early} turns arrive before the turn that they follow: they stand right after it`]
        : []),
    ],
  };
}
