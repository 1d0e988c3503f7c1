'use client';

import { useId, useRef, useState } from 'react';
import type { Session } from '../../lib/run/session-types';
import type { ServeSpeculation } from '../../lib/spec/kinds/serve-transform';
import {
  isOfCell,
  type MeasuredSpeculation,
  readAcceptance,
  speculationOf,
} from '../../lib/speculate/measured-speculation';
import { formatPercent } from '../../lib/views/format';
import { useNotebook, useSession } from '../use-session';
import styles from './serve-cost.module.css';

type Draft = Extract<ServeSpeculation, { readonly type: 'draft' }>;

interface Props {
  readonly speculation: Draft;
  readonly session: Session;
  readonly onSpeculation: (speculation: Partial<Draft>) => void;
}

const CHOSEN = 'chosen';
const HELD = 'held';

/** Where the acceptances of drafted tokens come from: one chance, a speculate cell, or its export. */
export function ServeAcceptance({ speculation, session, onSpeculation }: Props) {
  const measured = useMeasured(session);
  const [problem, setProblem] = useState<string>();
  const input = useRef<HTMLInputElement>(null);
  const noteId = useId();
  const { acceptances, measuredBy, acceptance } = speculation;
  const from = measured.find(({ cellId }) => isOfCell(measuredBy, cellId));
  const value = acceptances.length === 0 ? CHOSEN : (from?.cellId ?? HELD);
  const hasMoved = from?.found !== undefined && !isSame(from.found, speculation);

  function choose(id: string): void {
    setProblem(undefined);
    if (id === CHOSEN) onSpeculation({ acceptances: [], measuredBy: '' });
    else {
      const found = measured.find(({ cellId }) => cellId === id)?.found;
      if (found !== undefined) onSpeculation(found);
    }
  }

  async function read(file: File | undefined): Promise<void> {
    if (file === undefined) return;
    try {
      onSpeculation(readAcceptance(await file.text(), file.name));
      setProblem(undefined);
    } catch (error) {
      setProblem((error as Error).message);
    }
  }

  return (
    <>
      <div className={styles.fields}>
        <label>
          acceptances
          <select
            value={value}
            aria-describedby={noteId}
            onChange={({ target }) => choose(target.value)}
          >
            <option value={CHOSEN}>one chance for every place</option>
            {value === HELD && <option value={HELD}>by place</option>}
            {measured.map(({ cellId, found, why }) => (
              <option key={cellId} value={cellId} disabled={found === undefined}>
                measured by cell {cellId}
                {why === undefined ? '' : ` (${why})`}
              </option>
            ))}
          </select>
        </label>
      </div>
      <div className={styles.note}>
        <p id={noteId} aria-live="polite">
          {acceptances.length === 0
            ? `each drafted token is accepted with ${formatPercent(acceptance)} if all before it were.`
            : `accepted by place, if all before were, what was not drafted counting as refused: ${acceptances.map((share) => formatPercent(share)).join(', ')}${measuredBy === '' ? '' : `; ${measuredBy}`}. a drafted token costs ${formatPercent(speculation.draftCost)} of a decode step.`}
        </p>
        {measured.length === 0 && (
          <p>a speculate cell in this notebook can measure them on a model in the page.</p>
        )}
        <p>
          <button type="button" onClick={() => input.current?.click()}>
            Read acceptance.json
          </button>
          <input
            ref={input}
            type="file"
            hidden
            accept=".json,application/json"
            aria-label="acceptance.json"
            onChange={({ target }) => {
              void read(target.files?.[0]);
              target.value = '';
            }}
          />
        </p>
        {hasMoved && from?.found !== undefined && (
          <p>
            the cell has other figures now.{' '}
            <button type="button" onClick={() => choose(from.cellId)}>
              Take them
            </button>
          </p>
        )}
        {problem !== undefined && (
          <p className={styles.problem} role="alert">
            {problem}
          </p>
        )}
      </div>
    </>
  );
}

interface Measured {
  readonly cellId: string;
  readonly found?: MeasuredSpeculation;
  /** Why there is nothing to take. */
  readonly why?: string;
}

function useMeasured(session: Session): readonly Measured[] {
  const statuses = useSession(session);
  const { cells } = useNotebook(session);
  return cells
    .filter(({ kind }) => kind === 'speculate')
    .map(({ id }) => {
      const output = statuses.get(id)?.result?.output;
      if (output?.kind !== 'speculate') return { cellId: id, why: 'not run yet' };
      try {
        return { cellId: id, found: speculationOf(output.value, id) };
      } catch {
        return { cellId: id, why: 'nothing was drafted' };
      }
    });
}

function isSame(found: MeasuredSpeculation, held: Draft): boolean {
  return (
    found.draftTokens === held.draftTokens &&
    found.draftCost === held.draftCost &&
    found.measuredBy === held.measuredBy &&
    found.acceptances.join() === held.acceptances.join()
  );
}
