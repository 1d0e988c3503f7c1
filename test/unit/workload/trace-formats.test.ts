import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { workloadParams } from '../../../lib/spec/kinds/workload';
import { createWorkloadParser } from '../../../lib/workload/trace';
import type { Workload } from '../../../lib/workload/types';

function read(text: string, source: object = {}, more: object = {}, piece = 11): Workload {
  const params = workloadParams.parse({ source: { type: 'trace', ...source }, ...more });
  if (params.source.type !== 'trace') throw new Error('unreachable');
  const parser = createWorkloadParser(params, params.source);
  for (let at = 0; at < text.length; at += piece) parser.push(text.slice(at, at + piece));
  return parser.finish();
}

const BURST = `Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type
5,ChatGPT,472,18,490,Conversation log
45,GPT-4,1087,0,1087,Conversation log
118,GPT-4,417,276,693,API log
120,ChatGPT,0,0,0,API log
`;

describe('BurstGPT', () => {
  it('leaves out and counts what failed', () => {
    const workload = read(BURST);
    expect([...workload.arrivalSeconds]).toEqual([0, 113]);
    expect([...workload.promptTokens]).toEqual([472, 417]);
    expect([...workload.outputTokens]).toEqual([18, 276]);
    expect(workload.notes).toEqual(['2 rows left out: failed, with 0 response tokens']);
    expect(workload.source).toBe(
      'the bound file: a BurstGPT trace: columns "Timestamp", "Request tokens", "Response tokens"',
    );
  });

  it('keeps one log, or one model', () => {
    expect([...read(BURST, { logType: 'api' }).promptTokens]).toEqual([417]);
    const chat = read(BURST, { model: 'ChatGPT' });
    expect([...chat.promptTokens]).toEqual([472]);
    expect(chat.notes).toEqual([
      '2 rows left out: not to the model ChatGPT',
      '1 rows left out: failed, with 0 response tokens',
    ]);
    expect(() => read(BURST, { model: 'none' })).toThrow(
      'no request left: 4 rows left out: not to the model none',
    );
    const short = 'Timestamp,Request tokens,Response tokens\n1,2,3\n';
    expect(read(short).promptTokens[0]).toBe(2);
    expect(() => read(short, { logType: 'api' })).toThrow('line 1: missing column "Log Type"');
  });

  it('names the line and the value of a bad row', () => {
    expect(() => read(`${BURST}130,GPT-4,x,5,5,API log\n`)).toThrow(
      'line 6: invalid Request tokens: "x" (expected an integer from 1)',
    );
  });
});

describe('the format of a trace', () => {
  it.each([
    ['TIMESTAMP,ContextTokens,GeneratedTokens\n2024-05-10 00:00:00.009930+00:00,7,3\n', 'an Azure'],
    [
      'request_id,request_type,application_id,arrival_timestamp,batch_size,prompt_size,token_size\n0,2,0,1.5,1,7,3\n',
      'the Splitwise simulator',
    ],
    ['arrived_at,num_prefill_tokens,num_decode_tokens\n0.5,7,3\n', 'Vidur'],
    ['\uFEFFuser,output_tokens,prompt_tokens,arrival_s\na,3,7,0\n', 'a CSV file'],
    ['{"timestamp": 3000, "input_length": 7, "output_length": 3}', 'JSON lines, Mooncake'],
    [
      '\n{"session_id": 1, "arrival_s": 0, "prompt_tokens": 7, "output_tokens": 3}\n',
      'JSON lines, requests with session_id',
    ],
  ])('is told by its beginning: %s', (text, found) => {
    for (const piece of [1, 7, 1000]) {
      const workload = read(text, {}, {}, piece);
      expect([...workload.promptTokens, ...workload.outputTokens]).toEqual([7, 3]);
      expect(workload.source).toContain(found);
    }
  });

  it.each([
    ['', 'the file is empty'],
    ['a,b\n1,2\n', 'line 1: no known trace: "a,b"'],
    ['{"a": 1}', 'line 1: no known trace: a JSON object with "a"'],
    ['PK\u0003\u0004', 'line 1: no known trace'],
  ])('is an error where it is none: %s', (text, message) => {
    expect(() => read(text)).toThrow(message);
  });

  it.each([
    [
      'Request Timestamp (ms);Input Length;Generated Tokens\n1500;7;3\n2000;7;3\n',
      '"Request Timestamp (ms)", "Input Length", "Generated Tokens", arrivals in milliseconds',
      0.5,
    ],
    ['id\ttime\tprompt_len\tcompletion_len\n0\t2\t7\t3\n1\t2.5\t7\t3\n', 'in seconds', 0.5],
    [
      'output_tokens|total_tokens|sentAt|inputTokens\r\n3|10|2024-05-01T10:00:00.25Z|7\r\n3|10|2024-05-01T10:00:01Z|7\r\n',
      'arrivals in timestamps',
      0.75,
    ],
    [
      'created_at_time,end_time,query tokens,input,answer tokens\n1714557600250,9,7,99,3\n1714557601000,9,7,99,3\n',
      '"created_at_time", "query tokens", "answer tokens" and not "input", arrivals in milliseconds',
      0.75,
    ],
  ])('takes columns of other names by the words in them: %s', (text, found, gap) => {
    for (const piece of [1, 1000]) {
      const workload = read(text, {}, {}, piece);
      expect([...workload.promptTokens, ...workload.outputTokens]).toEqual([7, 7, 3, 3]);
      expect(workload.arrivalSeconds[1]).toBeCloseTo(gap, 6);
      expect(workload.source).toContain(found);
    }
  });

  it.each([
    'time_to_first_token,prompt_tokens,output_tokens\n',
    'arrival,prompt_text,output_text\n',
    'end_time;total_tokens;output_tokens\n',
  ])('takes no column for what it is not: %s', (text) => {
    expect(() => read(`${text}1,7,3\n`)).toThrow('line 1: no known trace');
  });

  it('can be said', () => {
    expect(() => read(BURST, { format: 'vidur' })).toThrow('line 1: missing column "arrived_at"');
  });
});

describe('ticks', () => {
  const text = [0, 0, 0, 3000, 4500, 6000, 6000]
    .map((timestamp, i) =>
      JSON.stringify({ timestamp, input_length: 1 + i, output_length: 1, hash_ids: [i] }),
    )
    .join('\n');

  it('stay, or are spread in order', () => {
    expect([...read(text).arrivalSeconds]).toEqual([0, 0, 0, 3, 4.5, 6, 6]);
    const spread = read(text, { tickSpread: 'in-order' });
    expect([...spread.arrivalSeconds]).toEqual([0, 1, 2, 3, 4.5, 6, 7.5]);
    expect([...spread.promptTokens]).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(spread.source).toContain('arrivals spread in order over their tick of 3 s');
    expect(spread.notes).toContain('1 arrivals are on no tick of 3 s and stay where they are');
  });

  it('count where they are missed by a few milliseconds', () => {
    const jittered = [0, 2999, 3001, 6000, 6006]
      .map((timestamp) => JSON.stringify({ timestamp, input_length: 1, output_length: 1 }))
      .join('\n');
    const { arrivalSeconds } = read(jittered, { tickSpread: 'in-order' });
    // The last one is on no tick, and stays after the one that begins its tick.
    expect([...arrivalSeconds]).toEqual([0, 3, 4.5, 6, 6.006]);
  });

  it('are drawn in the tick by the seed, in order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(4), { minLength: 1, maxLength: 30 }),
        fc.nat(99),
        (ticks, seed) => {
          const sorted = ticks.toSorted((a, b) => a - b);
          const lines = sorted.map((tick, i) =>
            JSON.stringify({ timestamp: 3000 * tick, input_length: 1 + i, output_length: 1 }),
          );
          const drawn = () => read(lines.join('\n'), { tickSpread: 'uniform' }, { seed }, 999);
          const { arrivalSeconds, promptTokens } = drawn();
          expect([...promptTokens]).toEqual(sorted.map((_, i) => i + 1));
          // The first one is the origin: it stands less than a tick after its own tick.
          const shift = 3 * (sorted[0] as number);
          arrivalSeconds.forEach((time, i) => {
            expect(time).toBeGreaterThanOrEqual(i === 0 ? 0 : (arrivalSeconds[i - 1] as number));
            expect(Math.abs(time + shift - 3 * (sorted[i] as number))).toBeLessThan(3);
          });
          expect(drawn().arrivalSeconds).toEqual(arrivalSeconds);
        },
      ),
      { numRuns: 50 },
    );
  });
});
