'use client';

import { activityText } from '../../lib/serving/trace/sentences';
import { groupOf } from '../../lib/serving/trace/sums';
import type { RequestTrace } from '../../lib/serving/trace/types';
import { formatSeconds } from '../../lib/views/format';
import { ScrollRegion } from '../cells/scroll-region';
import styles from './views.module.css';

const SHOWN = 200;

/** The phases of one request as text: the strip's table view. */
export function TraceTable({ trace }: { readonly trace: RequestTrace }) {
  return (
    <ScrollRegion className={styles.scroll} label={`phases of request ${trace.id}`}>
      <table>
        <caption className={styles.note}>
          {trace.phases.length > SHOWN
            ? `the first ${SHOWN} of ${trace.phases.length} phases; the CSV has all`
            : `phases of request ${trace.id}, which sum to its end-to-end time`}
        </caption>
        <thead>
          <tr>
            {['after arrival', 'duration', 'group', 'what it does'].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {trace.phases.slice(0, SHOWN).map((phase) => (
            <tr key={phase.startSeconds}>
              <td>{formatSeconds(phase.startSeconds - trace.arrivalSeconds)}</td>
              <td>{formatSeconds(phase.endSeconds - phase.startSeconds)}</td>
              <td>{groupOf(phase.activity)}</td>
              <td className={styles.text}>{activityText(phase.activity)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}
