import type { AttentionResult, SelectionSummary } from '../../lib/attention/types';
import { formatCount, formatError, formatPercent, formatSeconds } from '../../lib/views/format';
import { ChoiceTable } from './choice-table';
import { type Metric, MetricList } from './metric-list';
import { PassesView } from './passes-view';
import styles from './results.module.css';
import { ScrollRegion } from './scroll-region';

export function AttentionResultView({ result }: { readonly result: AttentionResult }) {
  const { timing, error, density, blockList, plan, adapter } = result;
  const isSoftware = adapter?.isFallback === true && result.engine === 'webgpu';
  const timingTone = isSoftware || result.engine !== 'webgpu' ? ('muted' as const) : undefined;
  const clock = timing.clock === 'timestamp-query' ? 'GPU timestamps' : 'CPU clock';
  const metrics: Metric[] = [
    {
      name: 'median time',
      value: formatSeconds(timing.medianSeconds),
      note: `${clock}, ${timing.samplesSeconds.length} runs after ${timing.warmupRuns}`,
      tone: timingTone,
    },
    {
      name: 'throughput',
      value: `${formatCount(timing.gigaflopsPerSecond)} GFLOP/s`,
      tone: timingTone,
    },
    ...(result.percentOfRoof === undefined
      ? []
      : [
          {
            name: result.engine === 'wasm' ? "of this processor's roof" : "of this adapter's roof",
            value: `${result.percentOfRoof.toFixed(0)} %`,
            note: `${formatCount(result.roofPlace?.attainableGigaflopsPerSecond ?? Number.NaN)} GFLOP/s measured, bound by ${result.roofPlace?.bound}`,
            tone: timingTone,
          },
        ]),
    {
      name: 'density',
      value: formatPercent(density.elements),
      note: `${formatPercent(density.blocks)} of blocks visited${density.isEstimate ? '; counted on a spread of rows' : ''}`,
    },
    {
      name: 'blocks',
      value: `${blockList.full} full, ${blockList.partial} partial`,
      note: `of ${blockList.total}, ${blockList.blockQueries} x ${blockList.blockKeys}`,
    },
  ];
  if (error !== undefined) {
    const { at } = error;
    metrics.splice(3, 0, {
      name: 'max error against f64',
      value: formatError(error.maxAbs),
      note: !Number.isFinite(error.maxAbs)
        ? `the output has values that are none, such as at batch ${at.batch}, head ${at.head}, query ${at.query}, dim ${at.dim}; the notes below say why`
        : `relative ${formatError(error.maxRel)}, LSE ${formatError(error.lseMaxAbs)}; worst at batch ${at.batch}, head ${at.head}, query ${at.query}, dim ${at.dim}; ${error.checkedRows} of ${error.totalRows} rows; ${error.withinTolerance ? 'within' : 'ABOVE'} ${formatError(error.tolerance)}`,
      tone: error.withinTolerance ? 'good' : 'bad',
    });
  }
  return (
    <>
      {isSoftware && (
        <p className={styles.note}>
          Software adapter: the numbers are right, the times say nothing about a GPU.
        </p>
      )}
      {result.engineNote !== undefined && <p className={styles.note}>{result.engineNote}</p>}
      <MetricList metrics={metrics} />
      {result.selection !== undefined && <SelectionTable selection={result.selection} />}
      {result.selection?.choices !== undefined && result.params.select.type === 'choice' && (
        <ChoiceTable
          select={result.params.select}
          choices={result.selection.choices}
          heads={result.params.shape.queryHeads}
        />
      )}
      <PassesView result={result} />
      {plan !== undefined && (
        <details className={styles.details}>
          <summary>kernel plan: {plan.label}</summary>
          <ul>
            {plan.candidates.map((candidate) => (
              <li key={candidate.id}>
                <code>{candidate.id}</code> {candidate.milliseconds.toPrecision(3)} ms on the probe
              </li>
            ))}
          </ul>
        </details>
      )}
      {result.notes.map((note) => (
        <p key={note} className={styles.note}>
          {note}
        </p>
      ))}
    </>
  );
}

/** What was selected, head by head, and what it left out. */
function SelectionTable({ selection }: { readonly selection: SelectionSummary }) {
  const { method, seconds, flops, heads, choices = [] } = selection;
  const isSearched = choices.some(({ by }) => by === 'figures');
  return (
    <ScrollRegion label="selection" className={styles.scroll}>
      <table>
        <caption className={styles.note}>
          selected by {method}: {formatSeconds(seconds)} on the CPU and {formatCount(flops)} FLOP
          for every head, apart from the attention
          {method === 'pattern-search' || isSearched
            ? ' (the FLOP without the search, which is done once per model)'
            : ''}
          ; density of the pairs that the variant leaves; compared with dense attention for{' '}
          {heads.length === 1 ? 'head 0' : `heads 0 to ${heads.length - 1}`}
        </caption>
        <thead>
          <tr>
            {['head', 'pattern', 'density', 'mass recall', 'output error'].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {heads.map(({ head, pattern, density, massRecall, outputError }) => (
            <tr key={head}>
              <th scope="row">{head}</th>
              <td>{pattern}</td>
              <td>{formatPercent(density)}</td>
              <td>{formatPercent(massRecall)}</td>
              <td>{outputError.toPrecision(2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}
