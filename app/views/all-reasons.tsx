'use client';

import { useEffect, useRef, useState } from 'react';
import type { Session } from '../../lib/run/session-types';
import { isAbortError } from '../../lib/run/worker-client';
import { formatSeconds } from '../../lib/views/format';
import { REASONS_HEADER, reasonRows } from '../../lib/views/timeline/trace-strip';
import { saveBlob } from '../state/save';
import type { PickableRun } from './request-picker';
import styles from './views.module.css';

interface Props {
  readonly runs: readonly PickableRun[];
  readonly session: Session;
}

interface Work {
  readonly runId: string;
  readonly done: number;
  readonly of: number;
}

/** A replay ends with its request: on average half of the run is made again for each of them. */
const estimateSeconds = ({ requests, wallSeconds }: PickableRun): number =>
  (requests.arrivalSeconds.length * wallSeconds) / 2;

/** The reasons of every request of a run as one CSV file: a replay each, with progress and cancel. */
export function AllReasons({ runs, session }: Props) {
  const [work, setWork] = useState<Work>();
  const [said, setSaid] = useState('');
  const stop = useRef<AbortController>(undefined);
  useEffect(() => () => stop.current?.abort(), []);

  async function save({ id, requests }: PickableRun): Promise<void> {
    const controller = new AbortController();
    stop.current = controller;
    const of = requests.arrivalSeconds.length;
    const chunks: string[] = [REASONS_HEADER];
    let done = 0;
    let why = '';
    setSaid('');
    try {
      for (; done < of; done++) {
        setWork({ runId: id, done, of });
        chunks.push(reasonRows(await session.traceRequest(id, done, controller.signal)));
      }
    } catch (error) {
      why = isAbortError(error) ? 'cancelled' : (error as Error).message;
    }
    setWork(undefined);
    if (done > 0) saveBlob(new Blob(chunks, { type: 'text/csv' }), `${id}-reasons.csv`);
    const saved = done === of ? `reasons of all ${of} requests saved` : `${done} of ${of} saved`;
    setSaid(why === '' ? saved : `${why}: ${saved}`);
  }

  return (
    <div className={styles.tools}>
      {work === undefined ? (
        runs.map((run) => (
          <button key={run.id} type="button" onClick={() => save(run)}>
            Reasons of all{runs.length > 1 ? ` of ${run.id}` : ''} as CSV (about{' '}
            {formatSeconds(estimateSeconds(run))})
          </button>
        ))
      ) : (
        <>
          <progress
            aria-label={`requests of ${work.runId} whose reasons are known`}
            max={work.of}
            value={work.done}
          />
          <span>
            {work.done} of {work.of}
          </span>
          <button type="button" onClick={() => stop.current?.abort()}>
            Cancel
          </button>
        </>
      )}
      <span role="status">{said}</span>
    </div>
  );
}
