'use client';

import type { CacheRun } from '../../lib/evaluate/cell-result';
import styles from './cache.module.css';
import { ScrollRegion } from './scroll-region';

/** What each head was said to need, for the policies with classes of heads. */
export function CacheGates({ runs }: { readonly runs: readonly CacheRun[] }) {
  const gated = runs.flatMap(({ label, gates }) => (gates ? [{ label, gates }] : []));
  if (gated.length === 0) return null;
  return (
    <details className={styles.details}>
      <summary>Gates of heads</summary>
      {gated.map(({ label, gates }) => (
        <ScrollRegion key={label} label={`gates of ${label}`} className={styles.scroll}>
          <table>
            <caption>
              {label}: by {gates.by}
              {gates.isFitted ? '' : ', here of the context below'}; higher needs more of the
              context
            </caption>
            <thead>
              <tr>
                <th scope="col">layer</th>
                {(gates.values[0] ?? []).map((_, head) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: heads have no other name
                  <th key={head} scope="col">
                    KV head {head}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {gates.values.map((heads, layer) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: layers have no other name
                <tr key={layer}>
                  <th scope="row">{layer}</th>
                  {heads.map((gate, head) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: heads have no other name
                    <td key={head}>{gate.toFixed(3)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollRegion>
      ))}
    </details>
  );
}
