import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { workloadParams } from '../../../lib/spec/kinds/workload';
import { createJsonLinesParser } from '../../../lib/workload/json-lines';
import type { Workload } from '../../../lib/workload/types';

function read(text: string, more: object = {}, source: object = {}, piece = text.length): Workload {
  const params = workloadParams.parse({ source: { type: 'json-lines', ...source }, ...more });
  if (params.source.type !== 'json-lines') throw new Error('unreachable');
  const parser = createJsonLinesParser(params, params.source);
  for (let at = 0; at < text.length; at += piece) parser.push(text.slice(at, at + piece));
  return parser.finish();
}

const tokens = (arrival: number, input: readonly number[], output: number, more: object = {}) =>
  JSON.stringify({
    arrival_time_ns: arrival,
    input_toks: input.length,
    output_toks: output,
    input_tok_ids: input,
    ...more,
  });

describe('requests of JSON lines', () => {
  const text = [
    tokens(2e9, [5, 6, 7], 2, { output_tok_ids: [8, 9] }),
    '',
    tokens(1e9, [1, 2], 4, { priority: 3 }),
  ].join('\n');

  it('carry their tokens, sorted by time', () => {
    const workload = read(text);
    expect([...workload.arrivalSeconds]).toEqual([0, 1]);
    expect([...workload.promptTokens]).toEqual([2, 3]);
    expect([...workload.outputTokens]).toEqual([4, 2]);
    expect(workload.content?.tokensPerId).toBe(1);
    expect([...(workload.content?.offsets ?? [])]).toEqual([0, 2, 7]);
    expect([...(workload.content?.ids ?? [])]).toEqual([1, 2, 5, 6, 7, 8, 9]);
    expect([...(workload.priority ?? [])]).toEqual([3, 0]);
    expect(workload.notes).toEqual([
      '1 lines were earlier than the line before them; all were sorted by time',
    ]);
  });

  it('are the same in pieces of any size', () => {
    const whole = read(text);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: text.length }), (piece) => {
        expect(read(text, {}, {}, piece)).toEqual(whole);
      }),
    );
  });

  it('may carry hashes of blocks', () => {
    const line = (timestamp: number, hash_ids: number[]) =>
      JSON.stringify({ timestamp, input_length: 1000, output_length: 5, hash_ids });
    const workload = read(
      `${line(500, [0, 1])}\n${line(1500, [0, 2])}`,
      { rateScale: 2 },
      { tokensPerHash: 500 },
    );
    expect([...workload.arrivalSeconds]).toEqual([0, 0.5]);
    expect(workload.content?.tokensPerId).toBe(500);
    expect([...(workload.content?.ids ?? [])]).toEqual([0, 1, 0, 2]);
  });

  it('are left out above a length, counted, and end at a number', () => {
    const long = read(`${tokens(0, [1, 2, 3], 9)}\n${tokens(0, [1], 1)}`, {
      maxTokensPerRequest: 10,
    });
    expect([...long.promptTokens]).toEqual([1]);
    expect(long.notes).toEqual(['1 lines above maxTokensPerRequest 10 were left out']);
    expect(read(`${tokens(0, [1], 1)}\n`.repeat(5), { maxRequests: 2 }).notes).toEqual([
      'reading stopped at 2 requests',
    ]);
  });

  it.each([
    ['{', 'line 1: expected a JSON object'],
    ['[1]', 'line 1: expected a JSON object'],
    ['{"a":1}', 'line 1: missing "input_toks" or "input_length" or "prompt_tokens" (found a)'],
    [`${tokens(0, [1], 1)}\n${tokens(0, [1], 0)}`, 'line 2: invalid output_toks: 0'],
    [tokens(-1, [1], 1), 'line 1: invalid arrival_time_ns: -1 (expected a number from 0)'],
    [
      tokens(0, [1], 1, { input_tok_ids: 'abc' }),
      'line 1: invalid input_tok_ids (expected a list of integers)',
    ],
    [tokens(0, [1], 1, { priority: 0.5 }), 'line 1: invalid priority: 0.5 (expected an integer)'],
    ['', 'the file is empty'],
  ])('say where they are wrong: %s', (wrong, message) => {
    expect(() => read(wrong)).toThrow(message);
  });
});
