'use client';

import { useState } from 'react';
import { isOpTableFile, makeBundle } from '../../lib/serving/cost/op-tables/bundle';
import { isGenerated } from '../../lib/spec/kinds/workload';
import type { Cell } from '../../lib/spec/notebook';
import styles from './cell-frame.module.css';

interface Props {
  readonly cell: Cell;
  /** The file bound to the cell. */
  readonly bound: File | undefined;
  readonly onBind: (file: File) => void;
}

/** Whether the cell reads its file through this field, and what the dialog offers. */
export function acceptedFiles(cell: Cell): string | undefined {
  if (cell.kind === 'workload') {
    const { source } = cell.params;
    if (isGenerated(source)) return undefined;
    if (source.type === 'trace') return '.csv,.tsv,.txt,.json,.jsonl,text/csv';
    return source.type === 'json-lines' ? '.jsonl,.json' : '.csv,.tsv,.txt,text/csv';
  }
  if (cell.kind !== 'serve') return undefined;
  if (cell.params.costModel.type === 'tables') return '.json,.gz';
  return cell.params.costModel.type === 'op-tables' ? '.csv,.yaml,.json' : undefined;
}

/** The chosen files of a profile as the one file that a cell is bound to. */
async function bundleOf(files: readonly File[]): Promise<File> {
  const [only] = files;
  if (files.length === 1 && only !== undefined && /\.json$/.test(only.name)) return only;
  const tables = files.filter(({ name }) => isOpTableFile(name));
  if (tables.length === 0)
    throw new Error('choose dense.csv, per_sequence.csv and attention.csv of one profile');
  const texts = await Promise.all(
    tables.map(async (file) => [file.name, await file.text()] as const),
  );
  const lastModified = Math.max(...tables.map((file) => file.lastModified));
  return new File([JSON.stringify(makeBundle(Object.fromEntries(texts)))], 'op-tables.json', {
    type: 'application/json',
    lastModified,
  });
}

/** The field that binds a file to a cell; operator tables take all files of a profile at once. */
export function FileBinding({ cell, bound, onBind }: Props) {
  const [problem, setProblem] = useState<string>();
  const accept = acceptedFiles(cell);
  if (accept === undefined) return null;
  const isProfile = cell.kind === 'serve' && cell.params.costModel.type === 'op-tables';
  async function choose(files: readonly File[]): Promise<void> {
    const [file] = files;
    if (file === undefined) return;
    try {
      onBind(isProfile ? await bundleOf(files) : file);
      setProblem(undefined);
    } catch (error) {
      setProblem((error as Error).message);
    }
  }
  return (
    <>
      <label className={styles.file}>
        {isProfile ? 'Files of the profile' : 'File'} {bound?.name ?? 'not chosen'}{' '}
        <input
          type="file"
          accept={accept}
          multiple={isProfile}
          onChange={(event) => choose([...(event.target.files ?? [])])}
        />
      </label>
      {problem !== undefined && <p role="alert">{problem}</p>}
    </>
  );
}
