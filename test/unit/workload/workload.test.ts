import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { workloadParams } from '../../../lib/spec/kinds/workload';
import { createCsvWorkloadParser } from '../../../lib/workload/csv';
import { generateWorkload } from '../../../lib/workload/generate';
import { workloadStatistics } from '../../../lib/workload/statistics';
import { parseTimestamp } from '../../../lib/workload/timestamps';
import type { Workload } from '../../../lib/workload/types';

function workloadSummary(workload: Workload) {
  const { arrivals, promptTokens, outputTokens } = workloadStatistics(workload);
  return { requests: arrivals.count, ...arrivals, promptTokens, outputTokens };
}

function generate(source: object, rest: object = {}): Workload {
  const params = workloadParams.parse({ source: { type: 'generator', ...source }, ...rest });
  if (params.source.type !== 'generator') throw new Error('expected a generator');
  return generateWorkload(params, params.source);
}

function readCsv(
  text: string,
  source: object = { type: 'azure-csv' },
  rest: object = {},
  piece = 7,
): Workload {
  const params = workloadParams.parse({ source, ...rest });
  if (params.source.type !== 'csv' && params.source.type !== 'azure-csv')
    throw new Error('expected a CSV source');
  const parser = createCsvWorkloadParser(params, params.source);
  for (let i = 0; i < text.length; i += piece) parser.push(text.slice(i, i + piece));
  return parser.finish();
}

const HEADER = 'TIMESTAMP,ContextTokens,GeneratedTokens\n';
const at = (second: string) => `2023-11-16 18:15:${second}`;

describe('generator', () => {
  it('draws lengths whose quantiles are those of the trace it is fitted to', () => {
    const summary = workloadSummary(generate({ requests: 60_000 }));
    const near = (actual: number, expected: number) =>
      expect(Math.abs(actual / expected - 1)).toBeLessThan(0.04);
    near(summary.promptTokens.mean, 1155);
    near(summary.promptTokens.p50, 1020);
    near(summary.promptTokens.p90, 2734);
    near(summary.outputTokens.mean, 211);
    near(summary.outputTokens.p50, 129);
    near(summary.outputTokens.p90, 424);
    near(summary.ratePerSecond, 5.53);
    near(summary.gapCv, 1);
  });

  it('keeps lengths when the rate changes and arrivals when the lengths do', () => {
    const slow = generate({ ratePerSecond: 1 });
    const fast = generate({ ratePerSecond: 9 });
    expect(fast.promptTokens).toEqual(slow.promptTokens);
    const fixed = generate({ ratePerSecond: 9, lengths: 'fixed' });
    expect(fixed.arrivalSeconds).toEqual(fast.arrivalSeconds);
    expect(new Set(fixed.promptTokens)).toEqual(new Set([512]));
    expect(generate({}, { seed: 2 }).promptTokens).not.toEqual(
      generate({}, { seed: 1 }).promptTokens,
    );
  });

  it('has the gap variation that is asked for', () => {
    for (const gapCv of [0.5, 1, 2]) {
      const { gapCv: measured } = workloadSummary(
        generate({ requests: 40_000, arrival: 'gamma', gapCv }),
      );
      expect(Math.abs(measured / gapCv - 1)).toBeLessThan(0.05);
    }
    expect(workloadSummary(generate({ arrival: 'uniform' })).gapCv).toBeLessThan(1e-6);
  });

  it('says when a length can never be under the limit', () => {
    expect(() => generate({ lengths: 'fixed' }, { maxTokensPerRequest: 100 })).toThrow(
      /invalid maxTokensPerRequest: 100/,
    );
  });
});

describe('CSV', () => {
  it('reads the Azure columns to 100 ns, whatever the pieces, line ends and byte order mark', () => {
    const text = `\uFEFF${HEADER}${at('46.6805900')},374,44\n${at('50.9951690')},396,109\n`;
    for (const variant of [text, text.replaceAll('\n', '\r\n'), text.trimEnd()]) {
      for (const piece of [1, 5, 1000]) {
        const workload = readCsv(variant, undefined, {}, piece);
        expect([...workload.promptTokens]).toEqual([374, 396]);
        expect([...workload.outputTokens]).toEqual([44, 109]);
        expect(workload.arrivalSeconds[1]).toBeCloseTo(4.314579, 9);
        expect(workload.notes).toEqual([]);
      }
    }
  });

  it('reads any header by mapping, in any unit, with quotes and other columns', () => {
    const text = 'user,"in, tokens",t,out\nbob,10,1500,3\n"a,b",20,2500,4\n';
    const source = {
      type: 'csv',
      arrivalColumn: 't',
      promptColumn: 'in, tokens',
      outputColumn: 'out',
      arrivalUnit: 'milliseconds',
    };
    const workload = readCsv(text, source);
    expect([...workload.arrivalSeconds]).toEqual([0, 1]);
    expect([...workload.promptTokens]).toEqual([10, 20]);
  });

  it('gives every row back: print, parse, compare', () => {
    const row = fc.tuple(
      fc.integer({ min: 0, max: 1e9 }),
      fc.integer({ min: 1, max: 9999 }),
      fc.integer({ min: 1, max: 999 }),
    );
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 50 }),
        (list, piece) => {
          const text = `arrival_s,prompt_tokens,output_tokens\n${list.map((r) => r.join(',')).join('\n')}`;
          const sorted = list
            .map((r, i) => [...r, i] as const)
            .sort((a, b) => a[0] - b[0] || a[3] - b[3]);
          const workload = readCsv(text, { type: 'csv' }, {}, piece);
          const first = sorted[0]?.[0] ?? 0;
          expect([...workload.arrivalSeconds]).toEqual(sorted.map((r) => r[0] - first));
          expect([...workload.promptTokens]).toEqual(sorted.map((r) => r[1]));
          expect([...workload.outputTokens]).toEqual(sorted.map((r) => r[2]));
        },
      ),
    );
  });

  it.each([
    [
      'missing column',
      'TIMESTAMP,ContextTokens\n',
      'line 1: missing column "GeneratedTokens" (found "TIMESTAMP", "ContextTokens")',
    ],
    ['empty file', '', 'the file is empty'],
    ['header alone', HEADER, 'the file has a header and no rows'],
    [
      'text for a number',
      `${HEADER}${at('46')},abc,4\n`,
      'line 2: invalid ContextTokens: "abc" (expected an integer from 1)',
    ],
    [
      'zero tokens',
      `${HEADER}${at('46')},5,4\n${at('47')},0,4\n`,
      'line 3: invalid ContextTokens: "0" (expected an integer from 1)',
    ],
    [
      'negative tokens',
      `${HEADER}${at('46')},5,-4\n`,
      'line 2: invalid GeneratedTokens: "-4" (expected an integer from 1)',
    ],
    [
      'absurd tokens',
      `${HEADER}${at('46')},99999999999,4\n`,
      'line 2: invalid ContextTokens: "99999999999" (expected an integer from 1)',
    ],
    [
      'NaN',
      `${HEADER}${at('46')},NaN,4\n`,
      'line 2: invalid ContextTokens: "NaN" (expected an integer from 1)',
    ],
    [
      'no such day',
      `${HEADER}2023-02-30 10:00:00,5,4\n`,
      'line 2: invalid TIMESTAMP: "2023-02-30 10:00:00" (expected a timestamp YYYY-MM-DD HH:MM:SS)',
    ],
    ['ragged row', `${HEADER}${at('46')},5\n`, 'line 2: 2 fields (expected 3)'],
    [
      'one huge line',
      `${HEADER}${'x'.repeat(70_000)}`,
      'line 2: longer than 65536 characters: not a CSV row',
    ],
  ])('names what is wrong: %s', (_, text, message) => {
    expect(() => readCsv(text, undefined, {}, 1000)).toThrow(message);
  });

  it('refuses negative times', () => {
    const text = 'arrival_s,prompt_tokens,output_tokens\n-1,5,5\n';
    expect(() => readCsv(text, { type: 'csv' })).toThrow(
      'line 2: invalid arrival_s: "-1" (expected seconds from 0)',
    );
  });

  it('sorts rows that are out of order and leaves out rows that are too large, with a note each', () => {
    const text = `${HEADER}${at('48')},30,3\n${at('46')},10,1\n${at('47')},20,2\n${at('49')},900,900\n`;
    const workload = readCsv(text, undefined, { maxTokensPerRequest: 1000 });
    expect([...workload.promptTokens]).toEqual([10, 20, 30]);
    expect(workload.notes).toEqual([
      '1 rows were earlier than the row before them; all rows were sorted by time',
      '1 rows above maxTokensPerRequest 1000 were left out',
    ]);
    expect(() => readCsv(text, undefined, { maxTokensPerRequest: 5 })).toThrow(
      'no request left: all 4 rows are above maxTokensPerRequest 5',
    );
  });

  it('stops at maxRequests and scales the rate', () => {
    const text = `${HEADER}${at('46')},10,1\n${at('48')},20,2\n${at('49')},30,3\n`;
    const workload = readCsv(text, undefined, { maxRequests: 2, rateScale: 4 });
    expect([...workload.arrivalSeconds]).toEqual([0, 0.5]);
    expect(workload.notes).toEqual(['reading stopped at 2 requests']);
  });
});

describe('timestamps', () => {
  it('keeps seven digits', () => {
    expect(parseTimestamp('2023-11-16 18:15:46.6805900')).toEqual([1700158546, 0.68059]);
    expect(parseTimestamp('2023-11-16T18:15:46Z')).toEqual([1700158546, 0]);
    expect(parseTimestamp('yesterday')).toBeUndefined();
  });
});

const TRACE = new URL('../../../../shared/data/traces/azure-2023-conv.csv', import.meta.url);
describe.skipIf(!existsSync(TRACE))(
  'the Azure trace (SKIPPED where ../shared/data/traces is absent)',
  () => {
    it('has the statistics that the generator states', () => {
      const summary = workloadSummary(readCsv(readFileSync(TRACE, 'utf8'), undefined, {}, 65_536));
      expect(summary.requests).toBe(19_366);
      expect(summary.gapCv).toBeCloseTo(1.09, 2);
      expect(summary.ratePerSecond).toBeCloseTo(5.53, 1);
      expect(summary.promptTokens.p90).toBeCloseTo(2734, -1);
      expect(summary.outputTokens.p99).toBeCloseTo(601, -1);
    });
  },
);
