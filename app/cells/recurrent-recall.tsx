import type { RecallCurve } from '../../lib/attention/recurrent/recall';
import { Region } from '../parts/region';
import styles from './results.module.css';

interface Props {
  readonly name: string;
  readonly keySize: number;
  /** Answers are scaled to length 1 before they are compared. */
  readonly isScaled: boolean;
  readonly recall: RecallCurve;
  readonly additive: RecallCurve;
}

/** Errors of recall over the number of pairs, beside plain linear attention. */
export function RecurrentRecallView({ name, keySize, isScaled, recall, additive }: Props) {
  const rows: readonly (readonly [string, readonly number[]])[] = [
    [name, recall.errors],
    ['additive, for comparison', additive.errors],
  ];
  return (
    <Region label="recall">
      <p className={styles.note}>
        recall: random unit keys written once, then each read; relative error of the values, key
        size {keySize}, gates open
        {isScaled &&
          '. its answers are scaled to length 1, as the objective asks for a direction only: 1.4 is chance'}
      </p>
      <div className={styles.scroll}>
        <table>
          <caption className="visually-hidden">error by pairs</caption>
          <thead>
            <tr>
              <th scope="col">pairs</th>
              {recall.pairs.map((pairs) => (
                <th key={pairs} scope="col">
                  {pairs}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([row, errors]) => (
              <tr key={row}>
                <th scope="row">{row}</th>
                {errors.map((each, i) => (
                  <td key={recall.pairs[i]}>{each.toPrecision(2)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Region>
  );
}
