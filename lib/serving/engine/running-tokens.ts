import type { RunningTokens } from '../parts/admission';
import type { Instance } from './instance';
import type { RunState } from './run-state';

/** What runs or has just entered, by output left, most first; equals in the order of the lists. */
export function createRunningTokens(): (state: RunState, instance: Instance) => RunningTokens {
  let kvTokens = new Float64Array(64);
  let left = new Float64Array(64);
  let order: number[] = [];
  return (state, instance) => {
    const { decoding, decodingCount, prefilling, prefillingCount, chunkIds, chunkCount } = instance;
    const count = decodingCount + prefillingCount + chunkCount;
    if (kvTokens.length < count) {
      kvTokens = new Float64Array(count * 2);
      left = new Float64Array(count * 2);
    }
    const ids: number[] = [];
    const processed = new Map<number, number>();
    for (let i = 0; i < decodingCount; i++) {
      const id = decoding[i] as number;
      ids.push(id);
      processed.set(id, (state.base[id] as number) + instance.step);
    }
    for (let i = 0; i < prefillingCount; i++) ids.push(prefilling[i] as number);
    for (let i = 0; i < chunkCount; i++) ids.push(chunkIds[i] as number);
    const { prefillTokens, totalTokens } = state.requests;
    const tokensOf = (id: number) => processed.get(id) ?? (prefillTokens[id] as number) + 1;
    const leftOf = (id: number) => Math.max(0, (totalTokens[id] as number) - tokensOf(id) - 1);
    order = ids.sort((a, b) => leftOf(b) - leftOf(a));
    order.forEach((id, i) => {
      kvTokens[i] = tokensOf(id);
      left[i] = leftOf(id);
    });
    return { count, kvTokens, left };
  };
}
