import type { Workload } from '../../workload/types';
import type { LiveView } from '../parts/live-queue';
import type { BlockCache } from './block-cache';
import type { Estimator } from './estimator';
import type { State } from './state';

/** What orders may ask of one replica's requests while they wait. */
export function liveViewOf(
  state: () => State,
  cache: BlockCache | undefined,
  estimator: Estimator,
): LiveView {
  const cachedTokens = (id: number) => cache?.lookup(id).tokens ?? 0;
  return {
    nowSeconds: () => state().nowSeconds,
    cachedTokens,
    serviceTokens: (id) => state().programService(id),
    prefillSeconds(id) {
      const cached = cachedTokens(id);
      const prompt = state().requests.prefillTokens[id] as number;
      return estimator.prefillSeconds(cached, prompt - cached);
    },
  };
}

/** First sends and attained service of programs; of a request alone where there are none. */
export function createProgramLedger(programs: Workload['programs'], count: number) {
  const startSeconds = new Float64Array(count).fill(Number.NaN);
  const starts = new Map<number, number>();
  const service = new Map<number, number>();
  const programOf = (id: number) => programs?.programIds[id] ?? id;
  return {
    startSeconds,
    serviceTokens: (id: number) => service.get(programOf(id)) ?? 0,
    onSent(id: number, now: number): void {
      const program = programOf(id);
      const start = starts.get(program) ?? now;
      if (programs !== undefined) starts.set(program, start);
      startSeconds[id] = start;
    },
    onCompleted(id: number, tokens: number): void {
      if (programs === undefined) return;
      const program = programOf(id);
      service.set(program, (service.get(program) ?? 0) + tokens);
    },
  };
}
