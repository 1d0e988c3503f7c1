import { describe, expect, it } from 'vitest';
import { workloadParams } from '../../../lib/spec/kinds/workload';
import { createWorkloadParser } from '../../../lib/workload/trace';
import type { Workload } from '../../../lib/workload/types';

function read(text: string, source: object = {}, more: object = {}, piece = 13): Workload {
  const params = workloadParams.parse({ source: { type: 'trace', ...source }, ...more });
  if (params.source.type !== 'trace') throw new Error('unreachable');
  const parser = createWorkloadParser(params, params.source);
  for (let at = 0; at < text.length; at += piece) parser.push(text.slice(at, at + piece));
  return parser.finish();
}

const lines = (...rows: object[]) => rows.map((row) => JSON.stringify(row)).join('\n');
const turn = (session_id: unknown, prompt_tokens: number, more: object = {}) => ({
  session_id,
  prompt_tokens,
  output_tokens: 5,
  ...more,
});

/** What each request comes of, by prompt tokens, which tell them apart. */
function predecessors({ programs, promptTokens }: Workload): number[][] {
  return [...promptTokens].map((_, i) =>
    [...(programs?.predecessors.slice(programs.offsets[i], programs.offsets[i + 1]) ?? [])].map(
      (before) => promptTokens[before] as number,
    ),
  );
}

describe('sessions of JSON lines', () => {
  it('tie turns, in the order of time', () => {
    const workload = read(
      lines(
        turn('a', 10, { arrival_s: 0, token_ids: [1, 2] }),
        turn('a', 20, { tool_gap_s: 4 }),
        turn('b', 30, { arrival_s: 1 }),
        turn('a', 40, { tool_gap_s: 1, arrival_s: 2 }),
        turn(undefined, 50, { arrival_s: 3 }),
        turn('b', 60, { arrival_s: 9 }),
      ),
    );
    expect([...workload.promptTokens]).toEqual([10, 30, 50, 20, 40, 60]);
    expect(predecessors(workload)).toEqual([[], [], [], [10], [20], [30]]);
    expect([...(workload.programs?.gapSeconds ?? [])]).toEqual([0, 0, 0, 4, 1, 0]);
    const [a, b, lone] = workload.programs?.programIds ?? [];
    expect([...(workload.programs?.programIds ?? [])]).toEqual([a, b, lone, a, a, b]);
    expect(new Set([a, b, lone]).size).toBe(3);
    expect(workload.notes).toEqual([
      '5 lines have no token ids: they share no prefix',
      '1 turns have no tool_gap_s: they are sent as soon as the turn before them is complete',
      '1 turns arrive before the turn that they follow: they stand right after it',
    ]);
  });

  it('go on without a turn that is left out', () => {
    const workload = read(
      lines(
        turn('a', 500, { arrival_s: 7 }),
        turn('a', 10, { tool_gap_s: 1 }),
        turn('a', 600, { tool_gap_s: 1 }),
        turn('a', 20, { tool_gap_s: 2 }),
      ),
      {},
      { maxTokensPerRequest: 100 },
    );
    expect(predecessors(workload)).toEqual([[], [10]]);
    expect(workload.notes[0]).toBe('2 lines above maxTokensPerRequest 100 were left out');
  });

  it.each([
    [turn('a', 10), 'line 1: invalid arrival_s: undefined (expected a number from 0)'],
    [
      turn([], 10, { arrival_s: 1 }),
      'line 1: invalid session_id: [] (expected a text or a number)',
    ],
    [
      turn('a', 10, { arrival_s: 0, tool_gap_s: -1 }),
      'line 1: invalid tool_gap_s: -1 (expected a number from 0)',
    ],
    [
      turn('a', 10, { arrival_s: 0, token_ids: [2 ** 40] }),
      'line 1: invalid token_ids: 1099511627776 (expected 32 bits)',
    ],
  ])('say where they are wrong: %j', (row, message) => {
    expect(() => read(lines(row))).toThrow(message);
  });
});

const talk = (...messages: readonly (readonly [string, string, number[]?])[]) => ({
  id: 'x',
  conversations: messages.map(([from, value, token_ids]) => ({ from, value, token_ids })),
});

describe('ShareGPT', () => {
  const first = talk(['human', 'abcdefgh'], ['gpt', 'ijkl'], ['human', 'mn "}'], ['gpt', 'o']);
  const second = talk(['system', 'abcd'], ['human', 'zz'], ['gpt', 'ABCDEFGHI'], ['gpt', '']);
  const text = JSON.stringify([first, second], undefined, 1);

  it('makes each answer a request after all that was said', () => {
    const workload = read(text);
    const byProgram = [...(workload.programs?.programIds ?? [])];
    const inOrder = byProgram
      .map((_, i) => i)
      .sort((a, b) => byProgram[a]! - byProgram[b]! || a - b);
    // Pieces of 4 characters: 2 + 1, then 2 + 1; 1 + 1 and 3.
    expect(inOrder.map((i) => workload.promptTokens[i])).toEqual([2, 5, 2]);
    expect(inOrder.map((i) => workload.outputTokens[i])).toEqual([1, 1, 3]);
    const ids = inOrder.map((i) => [
      ...(workload.content?.ids.slice(
        workload.content.offsets[i],
        workload.content.offsets[i + 1],
      ) ?? []),
    ]);
    expect(ids.map(({ length }) => length)).toEqual([3, 6, 5]);
    expect(ids[1]?.slice(0, 3)).toEqual(ids[0]);
    expect(ids[2]?.[0]).toBe(ids[0]?.[0]);
    expect(ids[2]?.[1]).not.toBe(ids[0]?.[1]);
    expect(workload.source).toContain(
      'tokens are an estimate, not a tokenizer: every 4 characters count as one token',
    );
    expect(workload.notes).toEqual(['1 empty answers were left out']);
    for (const piece of [1, 5, 999]) expect(read(text, {}, {}, piece)).toEqual(workload);
    expect(read(lines(first, second))).toEqual(workload);
  });

  it('takes token ids where they are, or words', () => {
    const ids = read(JSON.stringify([talk(['user', 'a', [5, 6, 7]], ['assistant', 'b', [8]])]));
    expect([...(ids.content?.ids ?? [])]).toEqual([5, 6, 7, 8]);
    expect(ids.source).toContain("tokens are the file's token_ids");
    const words = read(JSON.stringify([talk(['human', 'Wie gehts, du?'], ['gpt', 'gut'])]), {
      standIn: 'words',
    });
    expect([words.promptTokens[0], words.outputTokens[0]]).toEqual([5, 1]);
  });

  it('draws starts and pauses of the means that are asked for', () => {
    const many = JSON.stringify(
      Array.from({ length: 4000 }, () =>
        talk(['human', 'a'], ['gpt', 'b'], ['human', 'c'], ['gpt', 'd']),
      ),
    );
    const { programs, arrivalSeconds } = read(
      many,
      { conversationsPerSecond: 2, thinkMeanSeconds: 3 },
      {},
      65_536,
    );
    const gaps = [...(programs?.gapSeconds ?? [])].filter((gap) => gap > 0);
    expect(gaps.length).toBe(4000);
    expect(gaps.reduce((sum, gap) => sum + gap, 0) / 4000).toBeCloseTo(3, 0);
    expect(arrivalSeconds.at(-1)! / 2000).toBeGreaterThan(0.93);
    expect(arrivalSeconds.at(-1)! / 2000).toBeLessThan(1.07);
  });

  it.each([
    ['[{"conversations": 5}]', 'conversation 1: missing "conversations" (found conversations)'],
    [
      JSON.stringify([first, talk(['robot', 'x'])]),
      'conversation 2, message 1: invalid from: "robot" (expected human',
    ],
    [
      '[{"conversations": [{"from": "gpt", "value": 7}]}]',
      'conversation 1, message 1: invalid value: 7 (expected a text)',
    ],
    ['[{"conversations": [', 'object 1: the file ends within it'],
    ['[{"conversations": []}, 7]', 'after object 1: found "7]'],
    ['[]', 'the file is empty'],
  ])('says where it is wrong: %s', (wrong, message) => {
    expect(() => read(wrong)).toThrow(message);
  });
});
