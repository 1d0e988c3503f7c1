import type { OverwriteShares } from '../../lib/attention/recurrent/recall';
import { formatError, formatPercent } from '../../lib/views/format';
import { Region } from '../parts/region';
import styles from './results.module.css';
import { ScrollRegion } from './scroll-region';

interface Overwritten {
  readonly shares: OverwriteShares;
  /** Relative distance of the answer from the second value. */
  readonly error: number;
}

interface Props {
  readonly name: string;
  readonly rule: Overwritten;
  readonly additive: Overwritten;
}

/** Two equal keys in a softmax cache have equal weights, whatever the query. */
const SOFTMAX = { first: 0.5, second: 0.5 } as const;

/** What a key answers that was given value A and then value B: both, a mean, or B alone. */
export function RecurrentOverwriteView({ name, rule, additive }: Props) {
  const rows: readonly (readonly [string, OverwriteShares, number | undefined])[] = [
    [name, rule.shares, rule.error],
    ...(name === 'additive' ? [] : [['additive', additive.shares, additive.error] as const]),
    ['softmax, both kept', SOFTMAX, undefined],
  ];
  return (
    <Region label="overwriting a key">
      <p className={styles.note}>
        overwriting a key: it is given value A, later value B, and is then read. a memory that can
        overwrite answers B alone
      </p>
      <ScrollRegion label="what the key answers" className={styles.scroll}>
        <table>
          <caption className="visually-hidden">what the key answers</caption>
          <thead>
            <tr>
              <th scope="col">memory</th>
              <th scope="col">answer</th>
              <th scope="col">of A</th>
              <th scope="col">of B</th>
              <th scope="col">error against B</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([row, shares, error]) => (
              <tr key={row}>
                <th scope="row">{row}</th>
                <td>
                  <Answer name={row} shares={shares} />
                </td>
                <td>{shareText(shares.first)}</td>
                <td>{shareText(shares.second)}</td>
                <td>{error === undefined ? '' : formatError(error)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
    </Region>
  );
}

/** Rounding is no share of a value. */
const shareText = (share: number) => formatPercent(Math.abs(share) < 5e-4 ? 0 : share);

const BAR = { width: 120, height: 14 } as const;
/** The bar's full width: both values whole. */
const MOST = 2;

/** A bar of two parts: what is left of A, then what there is of B. */
function Answer({ name, shares }: { readonly name: string; readonly shares: OverwriteShares }) {
  const part = (share: number) => (BAR.width * Math.min(MOST, Math.max(0, share))) / MOST;
  const [a, b] = [part(shares.first), part(shares.second)];
  return (
    <svg
      width={BAR.width}
      height={BAR.height}
      role="img"
      aria-label={`${name}: ${shareText(shares.first)} of A and ${shareText(shares.second)} of B`}
    >
      <rect width="100%" height="100%" fill="var(--surface-sunken)" />
      <rect width={a} height={BAR.height} fill="var(--series-2)" />
      <rect x={a} width={Math.min(b, BAR.width - a)} height={BAR.height} fill="var(--series-1)" />
      <text x={4} y={11} fontSize={10} fill="var(--surface)">
        {a > 16 ? 'A' : ''}
      </text>
      <text x={a + 4} y={11} fontSize={10} fill="var(--surface)">
        {b > 16 ? 'B' : ''}
      </text>
    </svg>
  );
}
