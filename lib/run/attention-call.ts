import type { Board } from './board';
import { isFresh } from './cell-record';
import type { AttentionCall } from './worker-api';

/**
 * The call that an attention cell's result on show came from: its params, and its file even where
 * another one has been chosen since.
 * @throws Error where there is no such result, or its file is not there (a recorded one)
 */
export function attentionCall(board: Board, cellId: string): AttentionCall {
  const record = board.records.get(cellId);
  const result = record?.result;
  if (record === undefined || result?.output.kind !== 'attention')
    throw new Error(`cell "${cellId}" has no attention result yet: run it first`);
  const { params } = result.output.value;
  if (params.inputs.source !== 'file') return { kind: 'attention', params };
  const file =
    board.resultFiles.get(result) ?? (isFresh(record) ? board.files.get(cellId) : undefined);
  if (file === undefined) throw new Error(`the file of cell "${cellId}" is not here: choose it`);
  return { kind: 'attention', params, file };
}
