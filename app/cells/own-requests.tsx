'use client';

import type { Session } from '../../lib/run/session-types';
import { isGenerated } from '../../lib/spec/kinds/workload';
import type { CellOf } from '../../lib/spec/notebook';
import type { EditActions } from '../state/use-notebook';
import styles from './cell-frame.module.css';

export const REQUEST_FILES = /\.(csv|tsv|txt|json|jsonl)$/i;

interface Props {
  readonly cell: CellOf<'workload'>;
  readonly session: Session;
  readonly edit: EditActions;
}

/** Reads a load from a file; one that was drawn before is told by its file's first line. */
export function takeRequests({ cell, session, edit }: Props, file: File): void {
  if (isGenerated(cell.params.source)) {
    edit.param(cell.id, ['source'], { type: 'trace', fileName: file.name.slice(0, 200) });
  }
  session.bindFile(cell.id, file);
}

/** A file in place of the drawn requests, without a look at the parameters. */
export function OwnRequests(props: Props) {
  if (!isGenerated(props.cell.params.source)) return null;
  return (
    <label className={styles.file}>
      Your own requests (CSV, JSON lines, ShareGPT){' '}
      <input
        type="file"
        accept=".csv,.tsv,.txt,.json,.jsonl,text/csv"
        onChange={({ target }) => {
          const file = target.files?.[0];
          if (file !== undefined) takeRequests(props, file);
        }}
      />
    </label>
  );
}
