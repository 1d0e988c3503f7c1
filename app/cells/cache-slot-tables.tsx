'use client';

import type { CacheResult } from '../../lib/evaluate/cell-result';
import { type CacheLook, SLOT_STATES } from '../../lib/evaluate/look';
import { headRows } from '../../lib/views/cache/head-rows';
import { type LedgerRow, ledgerRows, sumOf } from '../../lib/views/cache/ledger-rows';
import { formatBytes, formatPercent } from '../../lib/views/format';
import styles from './cache.module.css';
import { ScrollRegion } from './scroll-region';

/** Per head: how many slots became what, and how much of the question's attention they hold. */
export function SlotTable({ look, attention }: Pick<CacheResult, 'attention'> & LookProps) {
  return (
    <ScrollRegion label="slots of every head" className={styles.scroll}>
      <table>
        <caption className="visually-hidden">slots of every head</caption>
        <thead>
          <tr>
            <th scope="col">layer</th>
            <th scope="col">KV head</th>
            {SLOT_STATES.map((state) => (
              <th key={state} scope="col">
                {state}
              </th>
            ))}
            <th scope="col">bytes</th>
            <th scope="col">of the question's attention</th>
          </tr>
        </thead>
        <tbody>
          {headRows(look, attention).map(({ layer, kvHead, counts, bytes, attentionShare }) => (
            <tr key={`${layer} ${kvHead}`}>
              <td>{layer}</td>
              <td>{kvHead}</td>
              {SLOT_STATES.map((state, i) => (
                <td key={state}>{counts[i]}</td>
              ))}
              <td>{formatBytes(bytes)}</td>
              <td>{formatPercent(attentionShare)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

interface LookProps {
  readonly look: CacheLook;
}

/** What the bytes of every layer are for, and in which tier they are. */
export function LedgerTable({ look }: LookProps) {
  const { roles, unused, rows, tiers, total } = ledgerRows(look.ledger);
  const cells = (bytes: LedgerRow['bytes']) => (
    <>
      {roles.map((role, i) => (
        <td key={role}>{formatBytes(bytes[i] ?? 0)}</td>
      ))}
      <td>{formatBytes(sumOf(bytes))}</td>
    </>
  );
  return (
    <details className={styles.details}>
      <summary>Bytes of every layer by what they are for: {formatBytes(sumOf(total))}</summary>
      <ScrollRegion className={styles.scroll} label="bytes of every layer">
        <table>
          <caption>
            lengths of the real buffers, room for later tokens included
            {unused.length > 0 && `; none for ${unused.join(', ')}`}
          </caption>
          <thead>
            <tr>
              <th scope="col">layer</th>
              <th scope="col">held in</th>
              {roles.map((role) => (
                <th key={role} scope="col">
                  {role}
                </th>
              ))}
              <th scope="col">all</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ layer, tier, bytes }) => (
              <tr key={`${layer} ${tier}`}>
                <th scope="row">{layer}</th>
                <td>{tier}</td>
                {cells(bytes)}
              </tr>
            ))}
          </tbody>
          <tfoot>
            {tiers.map(({ tier, bytes }) => (
              <tr key={tier}>
                <th scope="row">all</th>
                <td>{tier}</td>
                {cells(bytes)}
              </tr>
            ))}
            {tiers.length > 1 && (
              <tr>
                <th scope="row">all</th>
                <td>everywhere</td>
                {cells(total)}
              </tr>
            )}
          </tfoot>
        </table>
      </ScrollRegion>
    </details>
  );
}
