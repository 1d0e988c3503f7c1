'use client';

import { useEffect, useState } from 'react';
import { sourceFor } from '../../lib/attention/file-source';
import type { Session } from '../../lib/run/session-types';
import type { AttentionParams } from '../../lib/spec/kinds/attention';
import { readTensorHeader, type TensorHeader } from '../../lib/tensors/header';
import type { EditActions } from '../state/use-notebook';

export interface TensorFileState {
  /** The bound file and what it holds, once its header is read. */
  readonly header: TensorHeader | undefined;
  /** Why the last file was not taken. */
  readonly problem: string | undefined;
  /** Makes the file the cell's inputs, if it is one of tensors. */
  choose(file: File): Promise<void>;
}

/** The safetensors file of an attention cell. */
export function useTensorFile(
  cellId: string,
  params: AttentionParams,
  session: Session,
  edit: EditActions,
): TensorFileState {
  const file = params.inputs.source === 'file' ? session.boundFile(cellId) : undefined;
  const [read, setRead] = useState<{ readonly file: File; readonly header: TensorHeader }>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    if (file === undefined) return;
    let isCurrent = true;
    readTensorHeader(file).then(
      (header) => isCurrent && setRead({ file, header }),
      (error: Error) => isCurrent && setProblem(`${file.name}: ${error.message}`),
    );
    return () => {
      isCurrent = false;
    };
  }, [file]);

  async function choose(chosen: File): Promise<void> {
    setProblem(undefined);
    try {
      const header = await readTensorHeader(chosen);
      const cell = session.notebook.cells.find(({ id }) => id === cellId);
      if (cell?.kind !== 'attention') return;
      const { inputs } = cell.params;
      const before = inputs.source === 'file' ? inputs : undefined;
      const refused = edit.param(cellId, ['inputs'], sourceFor(header, chosen.name, before));
      if (refused !== undefined) throw new Error(refused);
      session.bindFile(cellId, chosen);
    } catch (error) {
      setProblem(`${chosen.name}: ${(error as Error).message}`);
    }
  }
  return { header: read?.file === file ? read?.header : undefined, problem, choose };
}
