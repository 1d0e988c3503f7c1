import fc from 'fast-check';
import type { Workload } from '../../../lib/workload/types';

export interface Turn {
  /** Tokens that come on top of everything said so far. */
  readonly own: number;
  readonly output: number;
  readonly gap: number;
}

export interface Program {
  readonly start: number;
  /** Which of a few common beginnings it has. */
  readonly system: number;
  readonly turns: readonly Turn[];
  /** The turns after the first are sent together, and a last one after all of them. */
  readonly forks: boolean;
}

const turn: fc.Arbitrary<Turn> = fc.record({
  own: fc.integer({ min: 1, max: 40 }),
  output: fc.integer({ min: 1, max: 25 }),
  gap: fc.constantFrom(0, 0.01, 0.3),
});

export const programs: fc.Arbitrary<Program[]> = fc.array(
  fc.record({
    start: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 2, noNaN: true })),
    system: fc.integer({ min: 0, max: 2 }),
    turns: fc.array(turn, { minLength: 1, maxLength: 5 }),
    forks: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

/** Tokens of a common beginning: the three of them part after 3, 20 and 37 tokens. */
const beginning = (system: number): number[] =>
  Array.from({ length: 48 }, (_, i) => (i < 3 + 17 * system ? 1 : 2 + system));

/** The requests of programs with their token ids: a turn's prompt is all that was said, and its own. */
export function programWorkload(list: readonly Program[]): Workload {
  let token = 100;
  const rows = list.flatMap((program, p) => {
    const texts: number[][] = [];
    return program.turns.map((each, t) => {
      const isJoin = program.forks && t > 1 && t === program.turns.length - 1;
      const before = t === 0 ? [] : program.forks ? (isJoin ? range(1, t) : [0]) : [t - 1];
      const known =
        before.length === 0 ? beginning(program.system) : before.flatMap((b) => texts[b] ?? []);
      const prompt = [...known, ...Array.from({ length: each.own }, () => token++)];
      const text = [...prompt, ...Array.from({ length: each.output }, () => token++)];
      texts.push(text);
      // Only the order counts for turns that come of others.
      return {
        p,
        t,
        before,
        prompt: prompt.length,
        text,
        gap: each.gap,
        at: program.start + t * 1e-3,
        output: each.output,
      };
    });
  });
  rows.sort((a, b) => a.at - b.at || a.p - b.p || a.t - b.t);
  const place = new Map(rows.map((row, i) => [`${row.p} ${row.t}`, i]));
  const predecessors = rows.map((row) =>
    row.before.map((t) => place.get(`${row.p} ${t}`) as number),
  );
  return {
    arrivalSeconds: Float64Array.from(rows, ({ at }) => at),
    promptTokens: Int32Array.from(rows, ({ prompt }) => prompt),
    outputTokens: Int32Array.from(rows, ({ output }) => output),
    clientIds: Int32Array.from(rows, ({ p }) => p),
    content: {
      tokensPerId: 1,
      offsets: starts(rows.map(({ text }) => text.length)),
      ids: Int32Array.from(rows.flatMap(({ text }) => text)),
    },
    programs: {
      programIds: Int32Array.from(rows, ({ p }) => p),
      offsets: starts(predecessors.map(({ length }) => length)),
      predecessors: Int32Array.from(predecessors.flat()),
      gapSeconds: Float64Array.from(rows, ({ gap }) => gap),
    },
    label: 'test',
    source: 'test',
    seed: 0,
    notes: [],
  };
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

function starts(lengths: readonly number[]): Int32Array {
  let sum = 0;
  return Int32Array.from([0, ...lengths], (length) => {
    sum += length;
    return sum;
  });
}
