'use client';

import type { CacheHead } from '../../lib/evaluate/cache-head';
import { phasesText, readersOf } from '../../lib/views/cache/slot-readers';
import { formatShare } from '../../lib/views/format';
import styles from './cache.module.css';
import { ScrollRegion } from './scroll-region';

/** Queries that are listed. */
const STRONGEST = 8;

/** Weights of many queries, summed: 1 is all that one query gives. */
function massText(mass: number): string {
  return mass < 5e-4 ? 'under 0.001' : `${Number(mass.toPrecision(3))}`;
}

/** Of one slot: since when it is what it is, and who attends to it over all steps. */
export function SlotReaders({
  head,
  column,
}: {
  readonly head: CacheHead;
  readonly column: number;
}) {
  const { strongest, mass, cutOffMass } = readersOf(head, column, STRONGEST);
  const { layer, kvHead, labels, group } = head;
  const name = `token ${column} "${labels[column] ?? ''}" in layer ${layer}, KV head ${kvHead}`;
  return (
    <>
      <p className={styles.answer}>
        {phasesText(head, column)}. All later queries together give it {massText(mass)} in the full
        cache{cutOffMass > 0 && `, ${massText(cutOffMass)} of it when it was dropped`}.
      </p>
      <ScrollRegion className={styles.scroll} label="who attends to the slot">
        <table>
          <caption>
            the strongest queries of {name}, over all steps and its {group} query heads
          </caption>
          <thead>
            <tr>
              {['query', 'token', 'in the', 'query head', 'weight', 'under the policy'].map(
                (each) => (
                  <th key={each} scope="col">
                    {each}
                  </th>
                ),
              )}
            </tr>
          </thead>
          <tbody>
            {strongest.map(({ query, head: queryHead, label, part, weight, isCutOff }) => (
              <tr key={`${query} ${queryHead}`}>
                <th scope="row">{query}</th>
                <td>
                  <code>{label}</code>
                </td>
                <td>{part}</td>
                <td>{queryHead}</td>
                <td>{formatShare(weight)}</td>
                <td data-tone={isCutOff ? 'bad' : undefined}>{isCutOff ? 'dropped' : 'seen'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
    </>
  );
}
