'use client';

import type { HeadPattern } from '../../lib/attention/pattern-class';
import { formatPercent } from '../../lib/views/format';
import { ScrollRegion } from '../cells/scroll-region';
import type { TakenBy } from './taken-by';
import styles from './views.module.css';

/** What a small map shows, in numbers. */
export interface HeadFacts {
  readonly head: number;
  /** The cell of largest magnitude. */
  readonly largest: number;
  /** Undefined of a difference and of signed weights. */
  readonly pattern: HeadPattern | undefined;
}

const SHARES = ['sink', 'local', 'diagonal', 'vertical', 'rest'] as const;

/** The small maps' table view: what each head's probability lies on. */
export function MapHeadsTable({
  facts,
  head,
  takenBy,
  onPick,
}: {
  readonly facts: readonly HeadFacts[];
  readonly head: number;
  /** What chooses a head's keys, where heads differ in it. */
  readonly takenBy: (head: number) => TakenBy | undefined;
  readonly onPick: (head: number) => void;
}) {
  const hasPatterns = facts.some(({ pattern }) => pattern !== undefined);
  const isTaken = facts.some(({ head: each }) => takenBy(each) !== undefined);
  return (
    <ScrollRegion label="heads of the map" className={styles.scroll}>
      <table>
        <caption className={styles.note}>
          heads{hasPatterns ? ': shares of their probability, counted once each' : ''}
        </caption>
        <thead>
          <tr>
            <th scope="col">head</th>
            <th scope="col">largest cell</th>
            {isTaken && <th scope="col">selects by</th>}
            {hasPatterns &&
              ['pattern', ...SHARES, 'evenness'].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
          </tr>
        </thead>
        <tbody>
          {facts.map(({ head: each, largest, pattern }) => (
            <tr key={each} aria-current={each === head}>
              <th scope="row">
                <button type="button" aria-pressed={each === head} onClick={() => onPick(each)}>
                  head {each}
                </button>
              </th>
              <td>{largest.toPrecision(3)}</td>
              {isTaken && <td>{takenBy(each)?.name}</td>}
              {pattern !== undefined && (
                <>
                  <td>{pattern.class}</td>
                  {SHARES.map((kind) => (
                    <td key={kind}>{formatPercent(pattern.shares[kind])}</td>
                  ))}
                  <td>{pattern.evenness.toFixed(2)}</td>
                </>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}
