'use client';

import { memo } from 'react';
import type { Turn } from '../../lib/serving/program-turns';
import { formatSeconds } from '../../lib/views/format';
import { ScrollRegion } from '../cells/scroll-region';
import styles from './views.module.css';

const SHOWN = 100;

interface Props {
  readonly turns: readonly Turn[];
  readonly shown: number;
  readonly onPick: (request: number) => void;
}

/** Turns of the program that a request belongs to, with the gaps between them: a way to the next one. */
export const ProgramTurns = memo(function ProgramTurns({ turns, shown, onPick }: Props) {
  if (turns.length === 0) return null;
  return (
    <ScrollRegion className={styles.scroll} label="turns of the program">
      <p className={styles.note}>
        its program of {turns.length} turns{turns.length > SHOWN ? `, the first ${SHOWN}` : ''},
        with the gaps between them dashed on the timeline
      </p>
      <table aria-label="turns of the program">
        <thead>
          <tr>
            {['turn', 'sent', 'gap before', 'waited', 'took'].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {turns.slice(0, SHOWN).map((turn, i) => (
            <tr key={turn.id} aria-current={turn.id === shown ? 'true' : undefined}>
              <th scope="row">
                <button
                  type="button"
                  aria-pressed={turn.id === shown}
                  onClick={() => onPick(turn.id)}
                >
                  {i + 1}: request {turn.id}
                </button>
              </th>
              <td>{formatSeconds(turn.sentSeconds)}</td>
              <td>
                {turn.after === undefined
                  ? '–'
                  : `${formatSeconds(turn.gapSeconds)} after ${turn.after}`}
              </td>
              <td>
                {turn.isRefused
                  ? 'refused'
                  : formatSeconds(turn.firstScheduledSeconds - turn.sentSeconds)}
              </td>
              <td>
                {turn.isRefused ? '–' : formatSeconds(turn.completedSeconds - turn.sentSeconds)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
});
