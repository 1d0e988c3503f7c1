import { workloadParams } from '../../../lib/spec/kinds/workload';
import { generated } from '../../../lib/workload/generated';
import { createWorkloadParser } from '../../../lib/workload/trace';
import type { Workload } from '../../../lib/workload/types';

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
/** Lengths that repeat in no short pattern. */
const prompt = (i: number) => 40 + ((i * 97) % 420);
const output = (i: number) => 2 + ((i * 31) % 37);
const lines = (header: string, row: (i: number) => string, count = 30) =>
  [header, ...range(count).map(row), ''].join('\n');
const jsonLines = (object: (i: number) => object, count = 30) =>
  range(count)
    .map((i) => `${JSON.stringify(object(i))}\n`)
    .join('');

function read(text: string, source: object = {}): Workload {
  const params = workloadParams.parse({ source: { type: 'trace', ...source } });
  if (params.source.type !== 'trace') throw new Error('unreachable');
  const parser = createWorkloadParser(params, params.source);
  parser.push(text);
  return parser.finish();
}
function make(source: object): Workload {
  const params = workloadParams.parse({ source });
  if (params.source.type !== 'synthetic' && params.source.type !== 'generator')
    throw new Error('unreachable');
  return generated(params, params.source);
}

const clock = (i: number) => `2023-11-16 18:15:${(10 + i * 0.25).toFixed(7).padStart(10, '0')}`;
/** Prompts of whole blocks of 512, the first of which some have in common. */
const hashes = (i: number) => [i % 3, 100 + i, 200 + i].slice(0, 1 + (i % 3));
const words = (i: number, count: number) =>
  range(count)
    .map((w) => `w${(i * 13 + w) % 50}`)
    .join(' ');
const conversation = (i: number) => ({
  id: `c${i}`,
  conversations: range(2 + 2 * (i % 3)).map((m) => ({
    from: m % 2 === 0 ? 'human' : 'gpt',
    value: words(i + m, 30 + 10 * m),
  })),
});
const lengths = { model: 'fixed', promptTokens: 120, outputTokens: 15 };
const synthetic = (more: object) => ({ type: 'synthetic', requests: 30, lengths, ...more });

/** A small trace of each kind that is known, all of them made up here. */
export const MADE_UP_TRACES: Readonly<Record<string, () => Workload>> = {
  azure: () =>
    read(
      lines(
        'TIMESTAMP,ContextTokens,GeneratedTokens',
        (i) => `${clock(i)},${prompt(i)},${output(i)}`,
      ),
    ),
  burstgpt: () =>
    read(
      lines(
        'Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type',
        (i) => `${i},GPT-4,${prompt(i)},${output(i)},${prompt(i) + output(i)},API log`,
      ),
    ),
  splitwise: () =>
    read(
      lines(
        'request_id,request_type,application_id,arrival_timestamp,batch_size,prompt_size,token_size',
        (i) => `${i},2,0,${i * 0.3},1,${prompt(i)},${output(i)}`,
      ),
    ),
  vidur: () =>
    read(
      lines(
        'arrived_at,num_prefill_tokens,num_decode_tokens',
        (i) => `${i * 0.3},${prompt(i)},${output(i)}`,
      ),
    ),
  csv: () =>
    read(
      lines('arrival_s,prompt_tokens,output_tokens', (i) => `${i * 0.3},${prompt(i)},${output(i)}`),
    ),
  mooncake: () =>
    read(
      jsonLines((i) => ({
        timestamp: 3000 * Math.floor(i / 4),
        input_length: 512 * hashes(i).length,
        output_length: output(i),
        hash_ids: hashes(i),
      })),
      { tickSpread: 'uniform' },
    ),
  'JSON lines': () =>
    read(
      jsonLines((i) => ({
        arrival_s: i * 0.2,
        prompt_tokens: prompt(i),
        output_tokens: output(i),
      })),
    ),
  'agents as JSON lines': () =>
    read(
      jsonLines((i) => ({
        session_id: `s${i % 10}`,
        arrival_s: i * 0.2,
        tool_gap_s: i < 10 ? 0 : 0.5,
        prompt_tokens: 60 + 80 * Math.floor(i / 10),
        output_tokens: output(i),
      })),
    ),
  sharegpt: () => read(JSON.stringify(range(12).map(conversation)), { thinkMeanSeconds: 0.5 }),
  generator: () => make({ type: 'generator', requests: 30, ratePerSecond: 4 }),
  'shared prefixes': () =>
    make(synthetic({ sharing: { type: 'groups', groups: 3, prefixTokens: 256 } })),
  'retrieved chunks': () =>
    make(synthetic({ sharing: { type: 'chunks', documents: 9, chunkTokens: 256 } })),
  chats: () => make(synthetic({ program: { type: 'chat', turnsMean: 3 } })),
  agents: () => make(synthetic({ program: { type: 'agent', turnsMean: 5, turnsDeviation: 2 } })),
  'forks and joins': () =>
    make(synthetic({ program: { type: 'fork-join', branches: 3, plansFirst: true } })),
  bursts: () => make(synthetic({ arrivals: { process: 'gamma', gapCv: 4 } })),
};
