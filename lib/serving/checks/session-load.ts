import type { Workload } from '../../workload/types';

/** One turn: what comes on top of everything said so far, what is answered, and the wait before it. */
export interface SessionTurn {
  readonly ownTokens: number;
  readonly outputTokens: number;
  /** Between the end of the turn before and the sending of this one; of no account for the first. */
  readonly gapSeconds: number;
  /** Kind of tool that the gap is the time of. */
  readonly tool?: number;
}

export interface Session {
  readonly startSeconds: number;
  readonly turns: readonly SessionTurn[];
}

/**
 * Sessions as programs: a turn's prompt is all that was said before it and its own tokens. Contents are
 * hashes of `hashTokens` tokens, no two sessions with one in common.
 *
 * @param cutAbove the oldest tokens of a longer prompt are dropped, after which nothing of it is the
 *   same prefix as before
 * @throws RangeError when a length is no multiple of `hashTokens`
 */
export function sessionLoad(
  sessions: readonly Session[],
  hashTokens: number,
  cutAbove: number = Infinity,
): Workload {
  let hash = 1;
  let row = 0;
  const rows = sessions.flatMap(({ startSeconds, turns }, program) => {
    let said: number[] = [];
    return turns.map((turn, index) => {
      said = [...said, ...fresh(turn.ownTokens)];
      // A hash names what stands before it as well, so a cut renames all that is left.
      if (said.length * hashTokens > cutAbove) said = fresh(cutAbove);
      const promptIds = said.length;
      said = [...said, ...fresh(turn.outputTokens)];
      return {
        order: row++,
        program,
        index,
        at: startSeconds + index * 1e-6,
        prompt: promptIds * hashTokens,
        ids: said,
        turn,
      };
    });
  });
  function fresh(tokens: number): number[] {
    if (tokens % hashTokens !== 0)
      throw new RangeError(`invalid tokens: ${tokens} (expected a multiple of ${hashTokens})`);
    return Array.from({ length: tokens / hashTokens }, () => hash++);
  }
  rows.sort((a, b) => a.at - b.at || a.order - b.order);
  const places = new Map(rows.map(({ program, index }, i) => [`${program} ${index}`, i]));
  const predecessors = rows.map(({ program, index }) =>
    index === 0 ? [] : [places.get(`${program} ${index - 1}`) as number],
  );
  return {
    arrivalSeconds: Float64Array.from(rows, ({ at }) => at),
    promptTokens: Int32Array.from(rows, ({ prompt }) => prompt),
    outputTokens: Int32Array.from(rows, ({ turn }) => turn.outputTokens),
    clientIds: Int32Array.from(rows, ({ program }) => program),
    content: {
      tokensPerId: hashTokens,
      offsets: startsOf(rows.map(({ ids }) => ids.length)),
      ids: Int32Array.from(rows.flatMap(({ ids }) => ids)),
    },
    programs: {
      programIds: Int32Array.from(rows, ({ program }) => program),
      offsets: startsOf(predecessors.map(({ length }) => length)),
      predecessors: Int32Array.from(predecessors.flat()),
      gapSeconds: Float64Array.from(rows, ({ turn, index }) => (index === 0 ? 0 : turn.gapSeconds)),
      tools: Int32Array.from(rows, ({ turn }) => turn.tool ?? 0),
    },
    label: `${sessions.length} sessions, ${rows.length} turns`,
    source: 'sessions made for a check',
    seed: 0,
    notes: [],
  };
}

function startsOf(lengths: readonly number[]): Int32Array {
  const starts = new Int32Array(lengths.length + 1);
  lengths.forEach((length, i) => {
    starts[i + 1] = (starts[i] as number) + length;
  });
  return starts;
}
