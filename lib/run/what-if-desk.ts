import type { WhatIfFactors } from '../serving/what-if/factors';
import { createWhatIfRun, type WhatIfResult } from '../serving/what-if/what-if-run';
import type { ServeInputs } from './serve-inputs';
import { readTables } from './simulation-jobs';
import { nextTask, runSliced, throwIfAborted } from './sliced';

/** A question under other conditions, about a run that is told once and then named. */
export interface WhatIfQuestion {
  /** Names the run; another one has another name. */
  readonly subject: string;
  /** The run itself, where it may not be known yet. */
  readonly inputs: ServeInputs | undefined;
  readonly factors: WhatIfFactors;
  /** Must be answered; any other gives way to a newer question about the same run. */
  readonly isKept: boolean;
}

export type WhatIfAnswer =
  | { readonly type: 'result'; readonly result: WhatIfResult }
  /** A newer question came before this one was begun. */
  | { readonly type: 'superseded' }
  /** The run is not known here: ask again with it. */
  | { readonly type: 'unknown' };

/** Answers questions one at a time, the newest only: the worker is never idle while a slider moves. */
export interface WhatIfDesk {
  /** @throws Error with one sentence, AbortError when cancelled */
  ask(question: WhatIfQuestion, signal: AbortSignal): Promise<WhatIfAnswer>;
}

/** Runs that are remembered: each cell with open sliders has one. */
const MOST_SUBJECTS = 4;

interface Subject extends Omit<ServeInputs, 'tables'> {
  readonly tables: unknown;
}

interface Waiting {
  readonly question: WhatIfQuestion;
  readonly signal: AbortSignal;
  readonly resolve: (answer: WhatIfAnswer) => void;
  readonly reject: (error: unknown) => void;
}

export function createWhatIfDesk(): WhatIfDesk {
  const subjects = new Map<string, Subject>();
  let queue: Waiting[] = [];
  let isRunning = false;

  async function remember(name: string, { params, workload, tables }: ServeInputs): Promise<void> {
    const parsed = tables === undefined ? undefined : await readTables(tables);
    subjects.delete(name);
    subjects.set(name, { params, workload, tables: parsed });
    const [oldest] = subjects.keys();
    if (subjects.size > MOST_SUBJECTS && oldest !== undefined) subjects.delete(oldest);
  }

  async function answer({ question, signal }: Waiting): Promise<WhatIfAnswer> {
    throwIfAborted(signal);
    const subject = subjects.get(question.subject);
    if (subject === undefined) return { type: 'unknown' };
    const { params, workload, tables } = subject;
    const run = createWhatIfRun(params, workload, tables, question.factors);
    await runSliced(run, signal);
    return { type: 'result', result: run.result() };
  }

  async function runAll(): Promise<void> {
    isRunning = true;
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      await answer(next).then(next.resolve, next.reject);
      // The answer leaves, and newer questions come in.
      await nextTask();
    }
    isRunning = false;
  }

  return {
    async ask(question, signal) {
      if (question.inputs !== undefined) await remember(question.subject, question.inputs);
      const isOlder = ({ question: { subject, isKept } }: Waiting) =>
        subject === question.subject && !isKept;
      for (const older of queue.filter(isOlder)) older.resolve({ type: 'superseded' });
      return new Promise((resolve, reject) => {
        queue = [...queue.filter((each) => !isOlder(each)), { question, signal, resolve, reject }];
        if (!isRunning) void runAll();
      });
    },
  };
}
