import type { Replica } from './replica';
import type { State } from './state';

/**
 * A request begins to decode: after those of its rank, before those of a higher one.
 * @param emitted 1 from a prefill, which emits a token; 0 for one that comes back from host memory
 */
export function joinDecoding(state: State, replica: Replica, id: number, emitted: 0 | 1): void {
  const processed = state.requests.processed[id] as number;
  const rank = state.parts.preemption.rank(id, processed, replica.step);
  const { decoding } = replica;
  let at = decoding.length;
  while (at > 0 && (state.rank[decoding[at - 1] as number] as number) > rank) at--;
  if (at === decoding.length) decoding.push(id);
  else decoding.splice(at, 0, id);
  state.rank[id] = rank;
  state.isDecoding[id] = 1;
  state.joinedAt[id] = processed;
  replica.contextTokens += processed;
  replica.queue.onJoin?.(id, replica.step, emitted);
}

/** Takes a request off the list. */
export function leaveDecoding(state: State, replica: Replica, id: number): void {
  const { decoding } = replica;
  decoding.splice(decoding.lastIndexOf(id), 1);
  state.isDecoding[id] = 0;
  replica.contextTokens -= state.requests.processed[id] as number;
  replica.queue.onLeave?.(id, replica.step);
}
