import type { MixtureLoad } from '../../lib/attention/recurrent/mixture-load';
import { formatPercent } from '../../lib/views/format';
import { Region } from '../parts/region';
import styles from './results.module.css';

const CELL = { width: 6, height: 14 } as const;

/** Which memory each token of a mixture wrote: counts, and a strip over the sequence. */
export function RecurrentLoadView({ load }: { readonly load: MixtureLoad }) {
  const stretches = load.stretches[0]?.length ?? 0;
  return (
    <Region label="memories">
      <p className={styles.note}>
        writes of {load.tokens} tokens. load balance {load.balance.toFixed(3)}, where 1 is even; the
        busiest memory has {load.peak.toFixed(2)} times the mean. the strips run over the sequence
        in {stretches} stretches: the stronger the colour, the more of a stretch's tokens wrote the
        memory
      </p>
      <div className={styles.scroll}>
        <table>
          <caption className="visually-hidden">writes by stretch</caption>
          <thead>
            <tr>
              <th scope="col">memory</th>
              <th scope="col">writes</th>
              <th scope="col">of all tokens</th>
              <th scope="col">where</th>
            </tr>
          </thead>
          <tbody>
            {load.writes.map((count, m) => {
              const name = `memory ${m}`;
              return (
                <tr key={name}>
                  <th scope="row">{m}</th>
                  <td>{count}</td>
                  <td>{formatPercent(count / load.tokens)}</td>
                  <td>
                    <Strip name={name} shares={load.stretches[m]!} />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Region>
  );
}

function Strip({ name, shares }: { readonly name: string; readonly shares: readonly number[] }) {
  const most = Math.max(...shares);
  const busiest = shares.indexOf(most) + 1;
  return (
    <svg
      width={shares.length * CELL.width}
      height={CELL.height}
      role="img"
      aria-label={
        most === 0
          ? `${name} is never written`
          : `${name}: written by at most ${formatPercent(most)} of a stretch's tokens, in stretch ${busiest}`
      }
    >
      <rect width="100%" height="100%" fill="var(--surface-sunken)" />
      {shares.map((share, i) => (
        <rect
          // biome-ignore lint/suspicious/noArrayIndexKey: a stretch is its position
          key={i}
          x={i * CELL.width}
          width={CELL.width}
          height={CELL.height}
          fill="var(--series-1)"
          fillOpacity={share}
        />
      ))}
    </svg>
  );
}
