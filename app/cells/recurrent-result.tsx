import type { RecurrentResult } from '../../lib/attention/recurrent/result';
import { formatBytes, formatCount, formatError, formatSeconds } from '../../lib/views/format';
import { type Metric, MetricList } from './metric-list';
import styles from './results.module.css';

/** Error and time of a rule, what it keeps beside softmax, and what it can recall. */
export function RecurrentResultView({ result }: { readonly result: RecurrentResult }) {
  const { timing, error, memory, adapter, params } = result;
  const isSoftware = adapter?.isFallback !== false;
  const timingTone = isSoftware ? ('muted' as const) : undefined;
  const metrics: Metric[] = [
    {
      name: 'state kept',
      value: formatBytes(memory.stateBytes),
      note: `a softmax cache keeps ${formatBytes(memory.kvBytes)} after ${params.shape.tokens} tokens, as much as the state after ${memory.breakEvenTokens.toFixed(0)}`,
    },
    {
      name: 'median time',
      value: formatSeconds(timing.medianSeconds),
      note: `${timing.clock === 'timestamp-query' ? 'GPU timestamps' : 'CPU clock'}, ${timing.samplesSeconds.length} runs after ${timing.warmupRuns}`,
      tone: timingTone,
    },
    {
      name: 'throughput',
      value: `${formatCount(timing.gigaflopsPerSecond)} GFLOP/s`,
      ...(result.percentOfCopyRoof === undefined
        ? {}
        : {
            note: `${result.percentOfCopyRoof.toFixed(0)} % of this adapter's copy roof${result.roofPlace === undefined ? '' : `; bound by ${result.roofPlace.bound}, ${result.roofPlace.percent.toFixed(0)} % of that roof`}`,
          }),
      tone: timingTone,
    },
    ...(error === undefined
      ? []
      : [
          {
            name: 'max error against f64',
            value: formatError(error.maxAbs),
            note: `state ${formatError(error.stateMaxAbs)}; worst at batch ${error.at.batch}, head ${error.at.head}, token ${error.at.token}, dim ${error.at.dim}; ${error.withinTolerance ? 'within' : 'ABOVE'} ${formatError(error.tolerance)}`,
            tone: error.withinTolerance ? ('good' as const) : ('bad' as const),
          },
        ]),
    {
      name: 'overwriting a key',
      value: `error ${formatError(result.recall.overwriteError)}`,
      note: `relative, against the second value; plain linear attention ${formatError(result.additiveRecall.overwriteError)}`,
    },
  ];
  return (
    <>
      {result.engineNote !== undefined && <p className={styles.note}>{result.engineNote}</p>}
      <MetricList metrics={metrics} />
      <section className={styles.scroll} aria-label="recall">
        <table>
          <caption className={styles.note}>
            recall: random unit keys written once, then each read; relative error of the values, key
            size {params.shape.keySize}, gates open
          </caption>
          <thead>
            <tr>
              <th scope="col">pairs</th>
              {result.recall.pairs.map((pairs) => (
                <th key={pairs} scope="col">
                  {pairs}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {[
              [params.rule.type, result.recall.errors],
              ['additive, for comparison', result.additiveRecall.errors],
            ].map(([name, errors]) => (
              <tr key={String(name)}>
                <th scope="row">{String(name)}</th>
                {(errors as readonly number[]).map((each, i) => (
                  <td key={result.recall.pairs[i]}>{each.toPrecision(2)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {result.plan !== undefined && <p className={styles.note}>kernel plan: {result.plan}</p>}
      {result.notes.map((note) => (
        <p key={note} className={styles.note}>
          {note}
        </p>
      ))}
    </>
  );
}
