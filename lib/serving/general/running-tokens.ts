import type { RunningTokens } from '../parts/admission';
import type { Replica } from './replica';
import type { State } from './state';

/** What runs or has just entered, by output left, most first; equals in the order of the lists. */
export function runningTokens(state: State, replica: Replica): RunningTokens {
  const { decoding, front, tail, loading, chunkIds } = replica;
  const { prefillTokens, processed, totalTokens } = state.requests;
  const ids = [...decoding, ...front, ...tail, ...loading, ...chunkIds];
  const tokensOf = (id: number) =>
    state.isDecoding[id] === 1 ? (processed[id] as number) : (prefillTokens[id] as number) + 1;
  const leftOf = (id: number) => Math.max(0, (totalTokens[id] as number) - tokensOf(id) - 1);
  ids.sort((a, b) => leftOf(b) - leftOf(a));
  return {
    count: ids.length,
    kvTokens: Float64Array.from(ids, tokensOf),
    left: Float64Array.from(ids, leftOf),
  };
}
