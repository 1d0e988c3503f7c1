import { computes, countsImages, SHARE_UNIT } from '../lane-roles';
import type { TimelineLane } from '../types';
import { micros, processName, slices } from './events';

const threadName = ({ role }: TimelineLane): string =>
  role === 'link'
    ? 'transfers'
    : role === 'share'
      ? 'shares'
      : role === 'encode'
        ? 'images'
        : 'iterations';

function nameOf(lane: TimelineLane, i: number): string {
  if (lane.role === 'encode') return 'encode';
  if (lane.traffic === 'images') return 'encoded images';
  if (lane.role === 'link') return `KV ${lane.traffic ?? 'transfer'}`;
  if (lane.role === 'share') return 'shares of the SMs';
  if (lane.prefillTokens[i] === 0) return 'decode';
  return lane.decodeTokens[i] === 0 ? 'prefill' : 'mixed';
}

function argsOf(lane: TimelineLane, i: number): object {
  const prefill = lane.prefillTokens[i] as number;
  const decode = lane.decodeTokens[i] as number;
  if (lane.role === 'share') return { prompts: prefill / SHARE_UNIT, decodes: decode / SHARE_UNIT };
  if (!computes(lane)) {
    const id = lane.requestIds?.[i] ?? -1;
    const amount = countsImages(lane) ? { images: prefill } : { kv_tokens: prefill };
    return { ...amount, ...(id >= 0 ? { request: id } : {}) };
  }
  return {
    iteration: i,
    iterations: lane.runIterations?.[i] ?? 1,
    batch_size: lane.batchSize[i],
    prefill_tokens: prefill,
    decode_tokens: decode,
  };
}

const counter = (pid: number, start: number, name: string, values: object): string =>
  `{"ph":"C","name":"${name}","pid":${pid},"ts":${micros(start)},"args":${JSON.stringify(values)}}`;

/** A lane as a process: its rows as complete events, and its counters. */
export function* laneEvents(lane: TimelineLane, pid: number): Generator<string> {
  yield processName(pid, lane.label);
  yield `{"ph":"M","name":"thread_name","pid":${pid},"tid":0,"args":{"name":"${threadName(lane)}"}}`;
  const category = computes(lane) ? 'iteration' : lane.role;
  let i = 0;
  for (const { start, duration } of slices(lane)) {
    yield `{"ph":"X","name":"${nameOf(lane, i)}","cat":"${category}","pid":${pid},"tid":0,"ts":${micros(start)},"dur":${micros(duration)},"args":${JSON.stringify(argsOf(lane, i))}}`;
    if (lane.role === 'share') {
      yield counter(pid, start, 'SMs', argsOf(lane, i));
      yield counter(pid, start + duration, 'SMs', { prompts: 0, decodes: 0 });
    } else if (computes(lane)) {
      yield counter(pid, start, 'queue length', { requests: lane.queueLength[i] });
      yield counter(pid, start, 'KV blocks', { used: lane.kvBlocksUsed[i] });
    }
    i++;
  }
}
