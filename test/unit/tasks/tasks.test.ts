import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectedOf, type TaskOption } from '../../../lib/tasks/options';
import { TASKS, taskOf } from '../../../lib/tasks/registry';
import { MOST_CONTEXT_TOKENS, type Task } from '../../../lib/tasks/task';
import { BOS, wordOf } from '../../../lib/tasks/vocabulary';
import { solve, statementsOf } from './solve';

/** Any value that an option accepts. */
function arbitraryOf(option: TaskOption): fc.Arbitrary<unknown> {
  if (option.type === 'choice') return fc.constantFrom(...option.choices);
  if (option.type === 'integer') return fc.integer({ min: option.least, max: option.most });
  return fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined });
}

/** A sample's request within a task's bounds, short contexts more often. */
function requests(task: Task) {
  const options = fc.record(
    Object.fromEntries(
      Object.entries(task.options).map(([name, option]) => [name, arbitraryOf(option)]),
    ),
  );
  return fc
    .record({ options, seed: fc.nat(), index: fc.nat(1000), more: fc.nat(300) })
    .map(({ options: given, more, ...rest }) => ({
      ...rest,
      options: given,
      contextTokens: Math.min(MOST_CONTEXT_TOKENS, task.leastContextTokens(given) + more),
    }))
    .filter(({ contextTokens, options: given }) => contextTokens >= task.leastContextTokens(given));
}

const answered = TASKS.filter(({ metric }) => metric === 'exact match');

describe.each(TASKS.map((task) => [task.id, task] as const))('%s', (_, task) => {
  test('has exactly the tokens asked for, all words, and says where its evidence is', () => {
    fc.assert(
      fc.property(requests(task), (request) => {
        const { context, turns, chunkStarts } = task.sample(request);
        expect(context.length).toBe(request.contextTokens);
        expect(context[0]).toBe(BOS);
        expect(context.every((token) => wordOf(token) !== '<pad>')).toBe(true);
        expect(turns.length).toBeGreaterThan(0);
        for (const { evidence, depth, question } of turns) {
          question.forEach(wordOf);
          expect(depth).toBeGreaterThanOrEqual(0);
          expect(depth).toBeLessThan(1);
          for (const [start, end] of evidence) {
            expect(start).toBeGreaterThan(0);
            expect(end).toBeGreaterThan(start);
            expect(end).toBeLessThanOrEqual(context.length);
          }
        }
        if (chunkStarts) {
          expect(chunkStarts[0]).toBe(0);
          expect(chunkStarts).toEqual([...chunkStarts].sort((a, b) => a - b));
          expect(new Set(chunkStarts).size).toBe(chunkStarts.length);
          expect(context.filter((token) => token === BOS).length).toBe(1);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('is decided by seed and index alone', () => {
    fc.assert(
      fc.property(requests(task), (request) => {
        const first = task.sample(request);
        task.sample({ ...request, index: request.index + 1 });
        expect(task.sample(request)).toEqual(first);
      }),
      { numRuns: 20 },
    );
    const at = { contextTokens: 500, seed: 7 };
    expect(task.sample({ ...at, index: 0 })).not.toEqual(task.sample({ ...at, index: 1 }));
    expect(task.sample({ ...at, index: 0 })).not.toEqual(task.sample({ ...at, seed: 8, index: 0 }));
  });

  test('refuses options and lengths out of bounds, with the value', () => {
    const at = { contextTokens: 500, seed: 1, index: 0 };
    const least = task.leastContextTokens();
    expect(() => task.sample({ ...at, contextTokens: least - 1 })).toThrow(
      `invalid contextTokens: ${least - 1} for ${task.id} (expected ${least}..1024)`,
    );
    expect(() => task.sample({ ...at, contextTokens: 1025 })).toThrow(
      'invalid contextTokens: 1025',
    );
    expect(() => task.sample({ ...at, contextTokens: 99.5 })).toThrow(
      'invalid contextTokens: 99.5',
    );
    expect(() => task.sample({ ...at, options: { colour: 1 } })).toThrow('unknown option: colour');
    for (const [name, option] of Object.entries(task.options)) {
      const wrong =
        option.type === 'choice' ? 'none of them' : option.type === 'share' ? 1.5 : option.most + 1;
      expect(() => task.sample({ ...at, options: { [name]: wrong } })).toThrow(
        `invalid ${name}: ${wrong} (expected ${expectedOf(option)})`,
      );
    }
  });

  test('chance is a share', () => {
    const chance = task.chance(512);
    expect(chance).toBeGreaterThanOrEqual(0);
    expect(chance).toBeLessThanOrEqual(0.05);
  });
});

describe.each(answered.map((task) => [task.id, task] as const))('%s', (_, task) => {
  test('has answers that follow from the context', () => {
    fc.assert(
      fc.property(requests(task), (request) => {
        const { context, turns } = task.sample(request);
        for (const turn of turns) {
          expect(turn.answer.length).toBeGreaterThan(0);
          expect(solve(context, turn)).toEqual(turn.answer);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('has evidence without which nothing or something else follows', () => {
    fc.assert(
      fc.property(requests(task), (request) => {
        const { context, turns } = task.sample(request);
        for (const turn of turns) {
          // A stream may have said the same before.
          if (turn.kind === 'now') continue;
          for (const [start, end] of turn.evidence) {
            const blank = context.map((token, at) => (at >= start && at < end ? BOS : token));
            let rest: number[] | undefined;
            try {
              rest = solve(blank, turn);
            } catch {
              rest = undefined;
            }
            expect(rest).not.toEqual(turn.answer);
          }
        }
      }),
      { numRuns: 30 },
    );
  });
});

test('a stream says its latest state last', () => {
  const task = taskOf('stream-qa');
  const { context, turns } = task.sample({ contextTokens: 400, seed: 3, index: 0 });
  for (const { question, evidence } of turns) {
    const [, end] = evidence[0] as readonly [number, number];
    const after = statementsOf(context.slice(end)).map(({ key }) => key);
    expect(after).not.toContain(question[1]);
  }
});

test('unknown ids are named', () => {
  expect(() => taskOf('needle')).toThrow('unknown task: needle (expected passkey, multi-passkey');
});

test('ids, names and sources are there, once each', () => {
  expect(new Set(TASKS.map(({ id }) => id)).size).toBe(TASKS.length);
  for (const { name, tests, source } of TASKS) {
    expect(Math.min(name.length, tests.length, source.length)).toBeGreaterThan(3);
  }
});
