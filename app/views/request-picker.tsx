'use client';

import { type FormEvent, memo, type Ref, useState } from 'react';
import type { RequestColumns } from '../../lib/serving/types';
import {
  type RequestsAt,
  STANDOUTS,
  type Standout,
  standout,
} from '../../lib/views/timeline/requests-at';
import styles from './views.module.css';

export interface PickableRun {
  readonly id: string;
  readonly requests: RequestColumns;
  /** What simulating it took. */
  readonly wallSeconds: number;
}

interface Props {
  readonly runs: readonly PickableRun[];
  /** Requests at the timeline's cursor, and the run that they are of. */
  readonly near: (RequestsAt & { readonly runId: string }) | undefined;
  readonly isBusy: boolean;
  readonly field: Ref<HTMLInputElement>;
  readonly onPick: (runId: string, requestId: number) => void;
}

/** Choose a request: by its number, by what stands out, or among those at the timeline's cursor. */
export const RequestPicker = memo(function RequestPicker({
  runs,
  near,
  isBusy,
  field,
  onPick,
}: Props) {
  const [runId, setRunId] = useState(runs[0]?.id ?? '');
  const [text, setText] = useState('');
  const run = runs.find(({ id }) => id === runId) ?? runs[0];
  if (run === undefined) return null;
  const most = run.requests.arrivalSeconds.length - 1;
  const pick = (id: string, request: number) => {
    setText(String(request));
    onPick(id, request);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const request = Number(text);
    if (text !== '' && Number.isInteger(request) && request >= 0 && request <= most)
      onPick(run.id, request);
  };
  return (
    <search aria-label="requests">
      <form className={styles.tools} onSubmit={submit}>
        {runs.length > 1 && (
          <label>
            run{' '}
            <select value={run.id} onChange={(event) => setRunId(event.target.value)}>
              {runs.map(({ id }) => (
                <option key={id}>{id}</option>
              ))}
            </select>
          </label>
        )}
        <label>
          request{' '}
          <input
            ref={field}
            className={styles.number}
            type="number"
            min={0}
            max={most}
            step={1}
            value={text}
            placeholder={`0 to ${most}`}
            aria-keyshortcuts="/"
            onChange={(event) => setText(event.target.value)}
          />
        </label>
        <button type="submit" disabled={text === ''} aria-busy={isBusy}>
          Why did it wait?
        </button>
        <label>
          or the one with the{' '}
          <select
            value=""
            onChange={(event) => {
              const request = standout(run.requests, event.target.value as Standout);
              if (request !== undefined) pick(run.id, request);
            }}
          >
            <option value="" disabled>
              choose…
            </option>
            {Object.keys(STANDOUTS).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      </form>
      {near !== undefined && near.running.length + near.waiting.length > 0 && (
        <ul className={styles.chips} aria-label="requests at the cursor">
          <li>here:</li>
          {near.running.map((request) => (
            <li key={request}>
              <button type="button" onClick={() => pick(near.runId, request)}>
                {request}
              </button>
            </li>
          ))}
          {near.waiting.map((request) => (
            <li key={request}>
              <button type="button" onClick={() => pick(near.runId, request)}>
                {request} waits
              </button>
            </li>
          ))}
          {near.more > 0 && <li>and {near.more} more</li>}
        </ul>
      )}
    </search>
  );
});
