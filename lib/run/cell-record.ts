import type { JobCell } from './job-kinds';
import type { CellOutput, CellResult, CellState, Progress } from './types';

/** What a session keeps of one cell that runs in a worker. Only the session writes it. */
export interface CellRecord {
  cell: JobCell;
  /** Content key of the cell as the document has it now. */
  key: string;
  state: CellState;
  /** Grows with every start, cancel and change; a run that began under another version is dropped. */
  version: number;
  progress: Progress | undefined;
  /** What the run that goes on, or was ended early, has of its result. */
  partial: CellOutput | undefined;
  message: string | undefined;
  result: CellResult | undefined;
  /** Content key that `result` belongs to. */
  resultKey: string | undefined;
  /** Called once when the cell is neither queued nor running any more. */
  waiters: (() => void)[];
}

export function createRecord(cell: JobCell, key: string): CellRecord {
  return {
    cell,
    key,
    state: 'idle',
    version: 0,
    progress: undefined,
    partial: undefined,
    message: undefined,
    result: undefined,
    resultKey: undefined,
    waiters: [],
  };
}

/** The result belongs to the cell as it is now, whatever became of a later run. */
export function isFresh(record: CellRecord): boolean {
  return record.result !== undefined && record.resultKey === record.key;
}

export function isPending(record: CellRecord): boolean {
  return record.state === 'queued' || record.state === 'running';
}

/**
 * Moves the record to a state, forgetting progress, and message unless given. What a run ended early
 * had done stays, unless there is a whole result of the same content.
 */
export function enter(record: CellRecord, state: CellState, message?: string): void {
  record.state = state;
  record.message = message;
  record.progress = undefined;
  const isEndedEarly = state === 'cancelled' || state === 'failed';
  if (!isEndedEarly || isFresh(record)) record.partial = undefined;
  if (isPending(record)) return;
  const waiters = record.waiters;
  record.waiters = [];
  for (const waiter of waiters) waiter();
}

/** Takes over a result that belongs to the record's present content. */
export function adopt(record: CellRecord, result: CellResult): void {
  record.result = result;
  record.resultKey = record.key;
  enter(record, 'done');
}

/** Resolves when the cell is neither queued nor running. */
export function settled(record: CellRecord): Promise<void> {
  if (!isPending(record)) return Promise.resolve();
  return new Promise((resolve) => record.waiters.push(resolve));
}
