'use client';

import { type DragEvent, type ReactNode, useState } from 'react';
import { CHEAP_SECONDS } from '../../lib/run/estimate';
import { isJobKind } from '../../lib/run/job-kinds';
import type { Session } from '../../lib/run/session-types';
import { type Cell, INPUT_RULES, type Notebook } from '../../lib/spec/notebook';
import { paramsSchema } from '../../lib/spec/ranges';
import { formatSeconds } from '../../lib/views/format';
import { CheckField, TextField } from '../parts/fields';
import { CellName } from '../parts/region';
import { SchemaForm } from '../parts/schema-form';
import { StateBadge } from '../parts/state-badge';
import type { EditActions } from '../state/use-notebook';
import { useCellStatus } from '../use-session';
import styles from './cell-frame.module.css';
import { CellMenu } from './cell-menu';
import { FileBinding } from './file-binding';

interface Props {
  readonly cell: Cell;
  readonly notebook: Notebook;
  readonly session: Session;
  readonly edit: EditActions;
  /** Shown above the output, and never dimmed with it. */
  readonly editor?: ReactNode;
  /** Names of files that may be dropped on the cell; `onFile` gets them. */
  readonly takes?: RegExp;
  readonly onFile?: (file: File) => void;
  readonly children: ReactNode;
}

const NAMES: Readonly<Record<Cell['kind'], string>> = {
  text: 'Text',
  attention: 'Attention',
  compose: 'Composed attention',
  recurrent: 'Linear and recurrent attention',
  decode: 'Decode over a stored cache',
  model: 'Model in the page',
  cache: 'KV-cache policies',
  'recall-gap': 'Recall gap',
  speculate: 'Draft and verify',
  workload: 'Workload',
  serve: 'Serving, simulated',
  sweep: 'Goodput against rate, simulated',
  check: 'Check of a published method',
  plan: 'Plan search, simulated',
  map: 'Map',
  timeline: 'Timeline, simulated',
  plot: 'Plot',
  compare: 'Two runs of one trace, simulated',
  table: 'Table',
};

/** What a map draws, by the cell that it is of. */
const MAPS: Readonly<Partial<Record<Cell['kind'], string>>> = {
  attention: 'Attention map',
  compose: 'Composed attention map',
  recurrent: 'Map of the recurrence',
  decode: 'Decode attention map',
  cache: 'Attention map under a cache policy',
};

function nameOf(cell: Cell, notebook: Notebook): string {
  if (cell.kind !== 'map') return NAMES[cell.kind];
  const of = new Set(
    cell.inputs.map((id) => notebook.cells.find((each) => each.id === id)?.kind ?? 'text'),
  );
  const [first] = of;
  return (of.size === 1 && first !== undefined && MAPS[first]) || 'Map of weights';
}

/** Header, state, progress and params around a cell's output. */
export function CellFrame(props: Props) {
  const { cell, notebook, session, edit, editor, takes, onFile, children } = props;
  const status = useCellStatus(session, cell.id);
  const name = nameOf(cell, notebook);
  const isBusy = status.state === 'running' || status.state === 'queued';
  const estimate = status.estimateSeconds;
  const isStale = status.isResultStale && status.partial === undefined;
  const drop = (event: DragEvent) => {
    const file = event.dataTransfer.files[0];
    if (file === undefined || !takes?.test(file.name)) return;
    event.preventDefault();
    // The page would open it as a notebook.
    event.stopPropagation();
    onFile?.(file);
  };
  return (
    <section
      className={styles.cell}
      aria-label={`${name} ${cell.id}`}
      data-cell={cell.id}
      tabIndex={-1}
      onDrop={drop}
    >
      <header className={styles.header}>
        <h2>
          {name} <code>{cell.id}</code>
        </h2>
        <StateBadge state={status.state} />
        <div className={styles.actions}>
          {isJobKind(cell.kind) &&
            (isBusy ? (
              <button type="button" onClick={() => session.cancel(cell.id)}>
                Cancel
              </button>
            ) : (
              <button type="button" data-primary="" onClick={() => session.run(cell.id)}>
                Run
                {estimate === undefined || estimate < CHEAP_SECONDS
                  ? ''
                  : ` (about ${formatSeconds(estimate)})`}
              </button>
            ))}
          <CellMenu id={cell.id} edit={edit} />
        </div>
      </header>
      {isBusy && (
        <div className={styles.progress}>
          <progress
            max={1}
            value={status.progress?.fraction}
            aria-label={`progress of ${cell.id}`}
          />
          <span>{status.progress?.phase ?? status.state}</span>
        </div>
      )}
      {status.message !== undefined && (
        <p className={styles.message} role="alert">
          {status.message}
        </p>
      )}
      <CellName value={cell.id}>
        {editor}
        <div className={styles.body} data-stale={isStale || undefined}>
          {isStale && <p className={styles.stale}>stale: from earlier params</p>}
          {children}
        </div>
      </CellName>
      <Params cell={cell} notebook={notebook} session={session} edit={edit} />
    </section>
  );
}

function Params({ cell, notebook, session, edit }: Omit<Props, 'children'>) {
  const [isOpen, setOpen] = useState(false);
  const { kinds } = INPUT_RULES[cell.kind];
  const eligible = notebook.cells.filter(
    (other) => kinds.includes(other.kind) && other.id !== cell.id,
  );
  return (
    <>
      <FileBinding
        cell={cell}
        bound={session.boundFile(cell.id)}
        onBind={(file) => session.bindFile(cell.id, file)}
      />
      <details className={styles.params} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>Parameters</summary>
        {isOpen && (
          <div className={styles.columns}>
            <SchemaForm
              schema={paramsSchema(cell.kind)}
              value={cell.params}
              path={[]}
              onSet={(path, value) => edit.param(cell.id, path, value)}
            />
            <div>
              <TextField label="id" value={cell.id} onSet={(id) => edit.rename(cell.id, id)} />
              {eligible.length > 0 && (
                <fieldset className={styles.inputs}>
                  <legend>inputs</legend>
                  {eligible.map((other) => (
                    <CheckField
                      key={other.id}
                      label={`${other.id} (${other.kind})`}
                      value={cell.inputs.includes(other.id)}
                      onSet={(checked) => edit.toggleInput(cell.id, other.id, checked)}
                    />
                  ))}
                </fieldset>
              )}
            </div>
          </div>
        )}
      </details>
    </>
  );
}
