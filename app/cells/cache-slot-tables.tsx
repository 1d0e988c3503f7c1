'use client';

import type { BufferRole } from '../../lib/cache/types';
import type { CacheResult } from '../../lib/evaluate/cell-result';
import { type CacheLook, SLOT_STATES } from '../../lib/evaluate/look';
import { headRows } from '../../lib/views/cache/head-rows';
import { formatBytes, formatPercent } from '../../lib/views/format';
import styles from './cache.module.css';

/** Per head: how many slots became what, and how much of the question's attention they hold. */
export function SlotTable({ look, attention }: Pick<CacheResult, 'attention'> & LookProps) {
  return (
    <section className={styles.scroll} aria-label="slots of every head">
      <table>
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
    </section>
  );
}

interface LookProps {
  readonly look: CacheLook;
}

/** What the bytes of every layer are for. */
export function LedgerTable({ look }: LookProps) {
  const roles = (Object.keys(look.ledger[0]?.bytes ?? {}) as BufferRole[]).filter((role) =>
    look.ledger.some(({ bytes }) => bytes[role] > 0),
  );
  const total = (bytes: Readonly<Record<BufferRole, number>>) =>
    roles.reduce((sum, role) => sum + bytes[role], 0);
  const all = look.ledger.reduce((sum, { bytes }) => sum + total(bytes), 0);
  return (
    <details className={styles.details}>
      <summary>Bytes of every layer by what they are for: {formatBytes(all)}</summary>
      <section className={styles.scroll} aria-label="bytes of every layer">
        <table>
          <caption>lengths of the real buffers, room for later tokens included</caption>
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
            {look.ledger.map(({ layer, tier, bytes }) => (
              <tr key={`${layer} ${tier}`}>
                <td>{layer}</td>
                <td>{tier}</td>
                {roles.map((role) => (
                  <td key={role}>{formatBytes(bytes[role])}</td>
                ))}
                <td>{formatBytes(total(bytes))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}
