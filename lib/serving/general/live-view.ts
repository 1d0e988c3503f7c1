import type { Workload } from '../../workload/types';
import type { LiveView } from '../parts/live-queue';
import type { BlockCache } from './block-cache';
import type { Estimator } from './estimator';
import type { State } from './state';

/** What orders may ask of one replica's requests while they wait, and of those that run. */
export function liveViewOf(
  state: () => State,
  cache: BlockCache | undefined,
  estimator: Estimator,
  limits: Workload['limits'],
  prompts: Int32Array,
  urgency: LiveView['urgency'],
): LiveView {
  const cachedTokens = (id: number) => cache?.lookup(id).tokens ?? 0;
  return {
    nowSeconds: () => state().nowSeconds,
    cachedTokens,
    serviceTokens: (id) => state().programService(id),
    prefillSeconds(id) {
      const { prefillTokens, isPrefilled } = state().requests;
      if (isPrefilled[id] === 1) return 0;
      const cached = cachedTokens(id);
      return estimator.prefillSeconds(cached, (prefillTokens[id] as number) - cached);
    },
    emittedTokens(id) {
      const { processed, prefillTokens } = state().requests;
      const made = Math.max(processed[id] as number, prefillTokens[id] as number);
      return made - (prompts[id] as number);
    },
    firstTokenSeconds: (id) => state().requests.firstTokenSeconds[id] as number,
    isOver(id) {
      const { completedSeconds, refused } = state().requests;
      return refused[id] === 1 || !Number.isNaN(completedSeconds[id]);
    },
    urgency,
    limits,
  };
}

/** First sends and attained service of programs; of a request alone where there are none. */
export function createProgramLedger(
  { programs, clientIds, promptTokens, outputTokens }: Workload,
  count: number,
) {
  const startSeconds = new Float64Array(count).fill(Number.NaN);
  const starts = new Map<number, number>();
  const service = new Map<number, number>();
  const programOf = (id: number) => programs?.programIds[id] ?? id;
  const clientOf = (id: number) => clientIds?.[id] ?? 0;
  /** Tokens that programs have left, by client, from their first send to their end. */
  const left = new Map<number, Map<number, number>>();
  const tokensOf = (id: number) => (promptTokens[id] as number) + (outputTokens[id] as number);
  const wholes = new Map<number, number>();
  for (let id = 0; id < count; id++)
    wholes.set(programOf(id), (wholes.get(programOf(id)) ?? 0) + tokensOf(id));
  return {
    startSeconds,
    serviceTokens: (id: number) => service.get(programOf(id)) ?? 0,
    /** Over the time to the deadline of each; what is past it counts as due within a millisecond. */
    urgency(id: number, now: number, deadlineSeconds: number): number {
      let sum = 0;
      for (const [program, tokens] of left.get(clientOf(id)) ?? []) {
        const due = (starts.get(program) as number) + deadlineSeconds;
        sum += tokens / Math.max(1e-3, due - now);
      }
      return sum;
    },
    onSent(id: number, now: number): void {
      const program = programOf(id);
      const start = starts.get(program) ?? now;
      if (!starts.has(program)) {
        const ofClient = left.get(clientOf(id)) ?? new Map<number, number>();
        ofClient.set(program, wholes.get(program) as number);
        left.set(clientOf(id), ofClient);
      }
      starts.set(program, start);
      startSeconds[id] = start;
    },
    /** It is complete, or was refused: it has nothing left. */
    onOver(id: number): void {
      const ofClient = left.get(clientOf(id));
      const rest = (ofClient?.get(programOf(id)) ?? 0) - tokensOf(id);
      if (rest > 0) ofClient?.set(programOf(id), rest);
      else ofClient?.delete(programOf(id));
    },
    onCompleted(id: number, tokens: number): void {
      if (programs === undefined) return;
      const program = programOf(id);
      service.set(program, (service.get(program) ?? 0) + tokens);
    },
  };
}
