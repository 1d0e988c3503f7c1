import type { ComposeHead, ComposeResult } from '../../lib/attention/compose/result';
import { formatPercent } from '../../lib/views/format';
import styles from './results.module.css';
import { ScrollRegion } from './scroll-region';

interface Column {
  readonly name: string;
  readonly text: (head: ComposeHead) => string;
}

/** Head by head: class and gate where there are any, keys kept, distances. */
export function ComposeHeads({ result }: { readonly result: ComposeResult }) {
  const { heads, distances } = result;
  const share = heads.reduce((sum, head) => sum + head.keptKeysShare, 0) / heads.length;
  const hasGates = heads.some(({ gate }) => gate !== undefined);
  const columns: readonly Column[] = [
    ...(heads.some(({ headClass }) => headClass !== undefined)
      ? [{ name: 'class', text: ({ headClass }: ComposeHead) => headClass ?? '' }]
      : []),
    ...(hasGates
      ? [
          { name: 'gate', text: ({ gate }: ComposeHead) => String(gate ?? '') },
          {
            name: 'mass outside',
            text: ({ massOutside }: ComposeHead) => formatPercent(massOutside ?? Number.NaN),
          },
        ]
      : []),
    { name: 'keys kept', text: ({ keptKeysShare }) => formatPercent(keptKeysShare) },
    ...distances.map(({ name, perHead }) => ({
      name: `distance from ${name}`,
      text: ({ head }: ComposeHead) => (perHead[head] ?? Number.NaN).toPrecision(2),
    })),
  ];
  return (
    <details className={styles.details} open={hasGates}>
      <summary>
        {heads.length} {heads.length === 1 ? 'head' : 'heads'}: {formatPercent(share)} of keys kept
        for the last query
      </summary>
      <ScrollRegion label="heads" className={styles.scroll}>
        <table>
          <caption className="visually-hidden">keys kept by head</caption>
          <thead>
            <tr>
              {['head', ...columns.map(({ name }) => name)].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {heads.map((head) => (
              <tr key={head.head}>
                <th scope="row">{head.head}</th>
                {columns.map(({ name, text }) => (
                  <td key={name}>{text(head)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
    </details>
  );
}
