import type { Cell, Notebook } from '../spec/notebook';
import { type CellRecord, isFresh } from './cell-record';
import { foldInputs } from './content-key';
import { type CellStatus, IDLE_STATUS } from './session-types';
import type { CellState } from './types';

/** Of several inputs a view shows the state that comes first here. */
const WORST_FIRST: readonly CellState[] = [
  'failed',
  'cancelled',
  'running',
  'queued',
  'idle',
  'stale',
  'done',
];

const DONE_STATUS: CellStatus = { ...IDLE_STATUS, state: 'done' };

export function inputFailedMessage(inputId: string, message: string | undefined): string {
  return `input "${inputId}" failed: ${message ?? 'no message'}`;
}

function recordStatus(record: CellRecord, estimateSeconds: number | undefined): CellStatus {
  return {
    state: record.state,
    progress: record.progress,
    partial: record.partial,
    message: record.message,
    result: record.result,
    isResultStale: record.result !== undefined && !isFresh(record),
    estimateSeconds,
  };
}

/** A view has no job: it is as far along as the input that is furthest behind. */
function viewStatus(cell: Cell, inputs: readonly CellStatus[]): CellStatus {
  for (const state of WORST_FIRST) {
    const index = inputs.findIndex((input) => input.state === state);
    const worst = inputs[index];
    if (worst === undefined) continue;
    return {
      ...IDLE_STATUS,
      state,
      progress: worst.progress,
      message:
        state === 'failed'
          ? inputFailedMessage(cell.inputs[index] as string, worst.message)
          : undefined,
      isResultStale: inputs.some((input) => input.isResultStale),
    };
  }
  return IDLE_STATUS;
}

function isSame(a: CellStatus, b: CellStatus): boolean {
  return (Object.keys(a) as (keyof CellStatus)[]).every((name) => Object.is(a[name], b[name]));
}

/**
 * Statuses of all cells: job cells from their records, views from their inputs, text always done.
 * An unchanged status keeps its object from `previous`.
 */
export function deriveStatuses(
  notebook: Notebook,
  records: ReadonlyMap<string, CellRecord>,
  estimateSeconds: (record: CellRecord) => number | undefined,
  previous: ReadonlyMap<string, CellStatus>,
): ReadonlyMap<string, CellStatus> {
  const missing: CellStatus = { ...IDLE_STATUS, state: 'failed', message: 'no such cell' };
  return foldInputs(notebook, missing, (cell, inputs) => {
    const record = records.get(cell.id);
    let status: CellStatus;
    if (record !== undefined) status = recordStatus(record, estimateSeconds(record));
    else status = cell.kind === 'text' ? DONE_STATUS : viewStatus(cell, inputs);
    const before = previous.get(cell.id);
    return before !== undefined && isSame(before, status) ? before : status;
  });
}
