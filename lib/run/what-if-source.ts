import type { WhatIfFactors } from '../serving/what-if/factors';
import type { WhatIfResult } from '../serving/what-if/what-if-run';
import type { Workload } from '../workload/types';
import type { Board } from './board';
import { type ServeInputs, serveInputs } from './serve-inputs';
import type { WhatIfQuestion } from './what-if-desk';
import type { SimulationApi } from './worker-api';
import type { WorkerClient } from './worker-client';

export interface WhatIfSource {
  /** @throws Error with one sentence where the cell has changed since it ran, AbortError once aborted */
  ask(cellId: string, factors: WhatIfFactors, signal?: AbortSignal): Promise<WhatIfResult>;
  /** The same; undefined where a newer question about the cell came before this one was begun. */
  askNewest(
    cellId: string,
    factors: WhatIfFactors,
    signal?: AbortSignal,
  ): Promise<WhatIfResult | undefined>;
}

/** Questions to the worker, which is told of a run once: a load can be large, factors are four numbers. */
export function createWhatIfSource(
  board: Board,
  simulation: WorkerClient<SimulationApi>,
): WhatIfSource {
  const numbers = new WeakMap<Workload | Blob, number>();
  const told = new Set<string>();
  let last = 0;
  function numberOf(object: Workload | Blob): number {
    const number = numbers.get(object) ?? ++last;
    numbers.set(object, number);
    return number;
  }
  function nameOf(cellId: string, { params, workload, tables }: ServeInputs): string {
    const file = tables === undefined ? 0 : numberOf(tables);
    return `${cellId} ${numberOf(workload)} ${file} ${JSON.stringify(params)}`;
  }

  async function ask(
    cellId: string,
    factors: WhatIfFactors,
    isKept: boolean,
    signal: AbortSignal | undefined,
  ): Promise<WhatIfResult | undefined> {
    const inputs = serveInputs(board, cellId);
    const subject = nameOf(cellId, inputs);
    const options = signal === undefined ? {} : { signal };
    const send = (question: WhatIfQuestion) =>
      simulation.call((api, jobId) => api.whatIf(jobId, question), options);
    const isTold = told.has(subject);
    told.add(subject);
    const question = { subject, inputs: isTold ? undefined : inputs, factors, isKept };
    let answer = await send(question);
    // The worker may have been replaced since, or remembers newer runs.
    if (answer.type === 'unknown') answer = await send({ ...question, inputs });
    return answer.type === 'result' ? answer.result : undefined;
  }

  return {
    async ask(cellId, factors, signal) {
      const result = await ask(cellId, factors, true, signal);
      if (result === undefined) throw new Error(`no answer about cell "${cellId}": ask again`);
      return result;
    },
    askNewest: (cellId, factors, signal) => ask(cellId, factors, false, signal),
  };
}
