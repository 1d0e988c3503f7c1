import { existsSync, readFileSync } from 'node:fs';
import { createRandom } from '../../../lib/random/random';
import { workloadParams } from '../../../lib/spec/kinds/workload';
import { createWorkloadParser } from '../../../lib/workload/trace';
import type { Workload } from '../../../lib/workload/types';
import { sharedPrefixWorkload } from './shared-prefix-load';

/** A small load of one kind, by name. */
export interface SmallLoad {
  readonly load: string;
  readonly workload: Workload;
  /** KV blocks in place of those that the accelerator has. */
  readonly kvBlocks?: number;
}

const TRACES = new URL('../../../../shared/data/traces/', import.meta.url);

export function readTrace(file: string): Workload {
  const params = workloadParams.parse({ source: { type: 'trace', format: 'auto' } });
  if (params.source.type !== 'trace') throw new Error('expected a trace');
  const parser = createWorkloadParser(params, params.source);
  parser.push(readFileSync(new URL(file, TRACES), 'utf8'));
  return parser.finish();
}

/** The first requests of a load. */
export function firstOf(workload: Workload, count: number): Workload {
  const { content } = workload;
  const most = Math.min(count, workload.arrivalSeconds.length);
  return {
    ...workload,
    arrivalSeconds: workload.arrivalSeconds.slice(0, most),
    promptTokens: workload.promptTokens.slice(0, most),
    outputTokens: workload.outputTokens.slice(0, most),
    ...(content === undefined
      ? {}
      : {
          content: {
            ...content,
            offsets: content.offsets.slice(0, most + 1),
            ids: content.ids.slice(0, content.offsets[most] as number),
          },
        }),
  };
}

const faster = (workload: Workload, times: number): Workload => ({
  ...workload,
  arrivalSeconds: workload.arrivalSeconds.map((seconds) => seconds / times),
});

/** Short prompts with long answers, log-normal: some 200 decode at once. */
function longAnswers(requests: number, perSecond: number): Workload {
  const random = createRandom(1);
  const tokens = (median: number, sigma: number, most: number): number =>
    Math.max(1, Math.min(most, Math.round(median * Math.exp(sigma * random.normal()))));
  const arrivalSeconds = new Float64Array(requests);
  const promptTokens = new Int32Array(requests);
  const outputTokens = new Int32Array(requests);
  let seconds = 0;
  for (let i = 0; i < requests; i++) {
    seconds += random.exponential() / perSecond;
    arrivalSeconds[i] = seconds;
    promptTokens[i] = tokens(200, 0.6, 2000);
    outputTokens[i] = tokens(1000, 0.5, 6000);
  }
  const label = `${requests} made-up requests with long answers`;
  return { arrivalSeconds, promptTokens, outputTokens, label, source: '', seed: 1, notes: [] };
}

/** One of each kind: made-up ones, and the traces where they are there. */
export function smallLoads(): readonly SmallLoad[] {
  const chats = sharedPrefixWorkload({ sessions: 4000, sessionsPerSecond: 1.5, seed: 1 });
  const made = [
    { load: 'chats', workload: chats },
    { load: 'chats, 8 times the rate', workload: faster(firstOf(chats, 6000), 8) },
    { load: '200 decodes at once', workload: longAnswers(3000, 8) },
  ];
  if (!existsSync(TRACES)) return made;
  const azure = readTrace('azure-2023-conv.csv');
  const overload = faster(firstOf(azure, 6000), 16);
  return [
    ...made,
    { load: 'azure conversation hour', workload: azure },
    { load: 'azure conversation, 4 times the rate', workload: faster(azure, 4) },
    { load: 'azure conversation, 16 times the rate', workload: overload },
    { load: 'the same in short memory', workload: overload, kvBlocks: 1500 },
    { load: 'azure code', workload: readTrace('azure-2023-code.csv') },
    {
      load: 'mooncake conversation',
      workload: firstOf(readTrace('mooncake-conversation.jsonl'), 3000),
    },
    { load: 'sharegpt', workload: readTrace('sharegpt-llama-3.1-8b-300.jsonl') },
  ];
}
