import type { ServeParams } from '../spec/kinds/serve';
import type { Workload } from '../workload/types';
import type { Board } from './board';
import { isFresh } from './cell-record';

/** What a serve cell's result was computed from. */
export interface ServeInputs {
  readonly params: ServeParams;
  readonly workload: Workload;
  readonly tables: Blob | undefined;
}

/**
 * What it takes to make a serve cell's run again.
 * @throws Error with one sentence where the cell has no result of its present params and load
 */
export function serveInputs(board: Board, cellId: string): ServeInputs {
  const record = board.records.get(cellId);
  if (record?.cell.kind !== 'serve') throw new Error(`"${cellId}" is no serve cell`);
  const { params, inputs } = record.cell;
  const input = board.records.get(inputs[0] ?? '');
  if (!isFresh(record) || input === undefined || !isFresh(input))
    throw new Error(`cell "${cellId}" has changed since it ran: run it again first`);
  const output = input.result?.output;
  if (output?.kind !== 'workload')
    throw new Error(`the load of "${cellId}" is not here: run "${input.cell.id}" first`);
  return { params, workload: output.value, tables: board.files.get(cellId) };
}
