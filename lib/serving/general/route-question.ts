import type { RouteQuestion } from '../parts/router';
import type { Estimator } from './estimator';
import type { Replica } from './replica';
import type { State } from './state';

/** Seconds until a replica has computed the prompts that wait or run there, each as if alone. */
export function queueSeconds(state: State, replica: Replica, estimator: Estimator): number {
  const { prefillTokens, processed } = state.requests;
  let seconds = replica.isBusy ? Math.max(0, replica.endSeconds - state.nowSeconds) : 0;
  const add = (id: number) => {
    const done = processed[id] as number;
    seconds += estimator.prefillSeconds(done, (prefillTokens[id] as number) - done);
  };
  replica.front.forEach(add);
  replica.tail.forEach(add);
  // Of a prompt in flight, what the iteration leaves of it.
  replica.chunkIds.forEach((id, i) => {
    const done = (processed[id] as number) + (replica.chunkTokens[i] as number);
    seconds += estimator.prefillSeconds(done, (prefillTokens[id] as number) - done);
  });
  for (const job of replica.paused) seconds += job.wholeSeconds - job.executedSeconds;
  return seconds + replica.queuedSeconds;
}

/** What a router may ask about a request that is to be placed. */
export function questionOf(
  state: State,
  replicas: readonly Replica[],
  id: number,
  estimator: Estimator,
  session: number,
): RouteQuestion {
  const promptTokens = state.requests.prefillTokens[id] as number;
  const at = (index: number) => replicas[index] as Replica;
  return {
    promptTokens,
    nowSeconds: state.nowSeconds,
    session,
    cachedTokens: (index) => at(index).cache?.lookup(id).tokens ?? 0,
    waiting: (index) => at(index).queue.length,
    queueSeconds: (index) => queueSeconds(state, at(index), estimator),
    prefillSeconds: (cached) => estimator.prefillSeconds(cached, promptTokens - cached),
  };
}
