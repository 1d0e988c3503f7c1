import { describe, expect, it } from 'vitest';
import { fitProfileNow } from '../../../lib/serving/calibrate/fit-profile';
import { readRequestLog } from '../../../lib/serving/calibrate/read-log';
import { iterationProfile, LOG_ENGINE, madeUpLog } from './made-up-log';

const fitLog = (text: string) =>
  fitProfileNow({ type: 'log', path: 'log.jsonl', text, engine: LOG_ENGINE, label: 'made up' });

describe('a profile of a made-up log', () => {
  it.each([
    [1, [9000, 40, 0, 150, 0.2]],
    [2, [20_000, 15, 0.01, 60, 0.05]],
  ] as const)(
    'recovers what an iteration took, seed %i',
    (seed, costs) => {
      const { profile, parts } = fitLog(madeUpLog(iterationProfile([...costs]), 120, seed));
      if (profile.law !== 'iteration') throw new Error('expected the law of an iteration');
      expect(Math.abs(profile.baseMicroseconds / costs[0] - 1)).toBeLessThan(0.1);
      // Tokens and their pairs rise together: what a prompt costs can be told, and hardly its parts.
      const promptOf = (token: number, pair: number): number => 500 * token + (pair * 500 ** 2) / 2;
      const found = promptOf(profile.perPrefillTokenMicroseconds, profile.perPairMicroseconds);
      expect(Math.abs(found / promptOf(costs[1], costs[2]) - 1)).toBeLessThan(0.1);
      const of = (name: string) => parts.find(({ part }) => part === name)?.medianPct ?? Infinity;
      expect(of('latency')).toBeLessThan(2);
      expect(of('time per output token')).toBeLessThan(2);
      expect(profile.medianErrorPct).toBeLessThan(2.5);
      expect(profile.rows).toBe(120);
    },
    120_000,
  );
});

describe('reading a log', () => {
  const line = (over: object = {}) =>
    JSON.stringify({
      arrival: 5,
      prompt_len: 10,
      output_len: 3,
      ttft_ms: 20,
      latency_ms: 90,
      ...over,
    });
  const many = (first: string) => [first, ...new Array(30).fill(line())].join('\n');

  it('knows milliseconds by their names and starts at the first arrival', () => {
    const log = readRequestLog('a.jsonl', many(line({ arrival: 7 })));
    expect(log.arrivalSeconds[0]).toBe(0);
    expect(log.arrivalSeconds[30]).toBe(2);
    expect(log.ttftSeconds[0]).toBeCloseTo(0.02, 12);
    expect(log.latencySeconds[0]).toBeCloseTo(0.09, 12);
  });

  it('takes the stamps of the engine, on whatever clock', () => {
    const stamped = (i: number) =>
      JSON.stringify({
        arrival_time: 1e9 + i,
        queued_ts: 50 + i,
        first_token_ts: 50.5 + i,
        last_token_ts: 52 + i,
        input_toks: 8,
        output_toks: 4,
      });
    const log = readRequestLog(
      'a.jsonl',
      Array.from({ length: 20 }, (_, i) => stamped(i)).join('\n'),
    );
    expect(log.ttftSeconds[3]).toBeCloseTo(0.5, 6);
    expect(log.latencySeconds[3]).toBeCloseTo(2, 6);
  });

  it('leaves out what contradicts itself, and counts it', () => {
    const log = readRequestLog(
      'a.jsonl',
      [
        many(line()),
        line({ latency_ms: 1 }),
        line({ output_len: 0 }),
        line({ ttft_ms: null }),
      ].join('\n'),
    );
    expect(log.arrivalSeconds.length).toBe(31);
    expect(log.dropped).toEqual([
      { reason: 'latency below the time to the first token', rows: 1 },
      { reason: 'no prompt or no output token', rows: 1 },
      { reason: 'a field is no number', rows: 1 },
    ]);
  });

  it.each([
    ['no line', '\n', 'a.jsonl: the file has no line'],
    ['no JSON', 'arrival,ttft\n', 'a.jsonl: line 1: expected JSON'],
    ['other fields', '{"start":1,"tokens":2}', 'a.jsonl: line 1: missing arrival (arrival_time,'],
    ['few rows', line(), 'a.jsonl: 1 requests are too few to fit (expected at least 20)'],
    [
      'few left',
      `${line()}\n${line({ ttft_ms: -1 })}`,
      '1 requests are too few to fit (expected at least 20; 1 dropped: latency below',
    ],
  ])('%s', (_, text, message) => {
    expect(() => readRequestLog('a.jsonl', text)).toThrow(message);
  });
});
