import type { MemoryUnitReading } from '../../lib/attention/recurrent/memory-unit';
import type { RecurrentResult } from '../../lib/attention/recurrent/result';
import {
  formatBytes,
  formatCount,
  formatError,
  formatPercent,
  formatSeconds,
} from '../../lib/views/format';
import { type Metric, MetricList } from './metric-list';
import { RecurrentFitView } from './recurrent-fit';
import { RecurrentHybridView } from './recurrent-hybrid';
import { RecurrentLoadView } from './recurrent-load';
import { RecurrentOverwriteView } from './recurrent-overwrite';
import { RecurrentRecallView } from './recurrent-recall';
import { RecurrentWindowView } from './recurrent-window';
import styles from './results.module.css';

/** The roof that binds first; a copy of the same bytes is the bar where bandwidth binds. */
function roofNote({ engine, roofPlace }: RecurrentResult, percentOfCopyRoof: number): string {
  const owner = engine === 'wasm' ? "its threads'" : "this adapter's";
  const copy = `${percentOfCopyRoof.toFixed(0)} % of ${owner} copy roof`;
  if (roofPlace === undefined) return copy;
  return `bound by ${roofPlace.bound}: ${roofPlace.percent.toFixed(0)} % of ${owner} roof; ${copy}`;
}

/** Whether errors grow along the sequence, where it is long enough to tell. */
function driftText(stretches: readonly number[] | undefined): string {
  const [first, last] = [stretches?.[0], stretches?.at(-1)];
  if (stretches?.length !== 8 || first === undefined || last === undefined) return '';
  return `; in the first eighth of the tokens ${formatError(first)}, in the last ${formatError(last)}`;
}

/** What a gated memory unit over the output costs beside cross-attention, and its error. */
function unitMetrics(unit: MemoryUnitReading | undefined): readonly Metric[] {
  if (unit === undefined) return [];
  const { error, checkedTokens } = unit;
  return [
    {
      name: 'memory unit, per token',
      value: `${formatCount(unit.flopsPerToken)} FLOP`,
      note: `keeps and reads no cache; cross-attention in its place takes ${formatCount(unit.crossAttentionFlopsPerToken)} FLOP and reads ${formatBytes(unit.crossAttentionReadBytes)} of keys and values; ${formatPercent(unit.closedShare)} of its gates are below 0.1`,
    },
    ...(error === undefined
      ? []
      : [
          {
            name: 'error after the unit',
            value: formatError(error.maxAbs),
            note: `${checkedTokens} tokens against f64, with seeded weights; ${error.withinTolerance ? 'within' : 'ABOVE'} ${formatError(error.tolerance)}`,
            tone: error.withinTolerance ? ('good' as const) : ('bad' as const),
          },
        ]),
  ];
}

/** Error and time of a rule, what it keeps beside softmax, and what it can recall. */
export function RecurrentResultView({ result }: { readonly result: RecurrentResult }) {
  const { timing, error, memory, adapter, params, recall, additiveRecall } = result;
  const isOnGpu = result.engine === 'webgpu' && adapter?.isFallback === false;
  const timingTone = isOnGpu ? undefined : ('muted' as const);
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
            note: roofNote(result, result.percentOfCopyRoof),
          }),
      tone: timingTone,
    },
    ...(error === undefined
      ? []
      : [
          {
            name: 'max error against f64',
            value: formatError(error.maxAbs),
            note: `state ${formatError(error.stateMaxAbs)}; worst at batch ${error.at.batch}, head ${error.at.head}, token ${error.at.token}, dim ${error.at.dim}; ${error.withinTolerance ? 'within' : 'ABOVE'} ${formatError(error.tolerance)}${driftText(error.stretches)}`,
            tone: error.withinTolerance ? ('good' as const) : ('bad' as const),
          },
        ]),
    ...unitMetrics(result.unit),
    ...(recall === undefined
      ? []
      : [
          {
            name: 'overwriting a key',
            value: `error ${formatError(recall.overwriteError)}`,
            note: `relative, against the second value; plain linear attention ${formatError(additiveRecall.overwriteError)}`,
          },
        ]),
  ];
  return (
    <>
      {result.engineNote !== undefined && <p className={styles.note}>{result.engineNote}</p>}
      <MetricList metrics={metrics} />
      {recall?.overwriteShares !== undefined && additiveRecall.overwriteShares !== undefined && (
        <RecurrentOverwriteView
          name={params.rule.type}
          rule={{ shares: recall.overwriteShares, error: recall.overwriteError }}
          additive={{
            shares: additiveRecall.overwriteShares,
            error: additiveRecall.overwriteError,
          }}
        />
      )}
      {recall !== undefined && (
        <RecurrentRecallView
          name={params.rule.type}
          isScaled={params.rule.type === 'lact'}
          keySize={params.shape.keySize}
          recall={recall}
          additive={additiveRecall}
        />
      )}
      {result.reconstruction !== undefined && (
        <RecurrentWindowView window={result.reconstruction} />
      )}
      {result.fits !== undefined && <RecurrentFitView fits={result.fits} />}
      {result.load !== undefined && <RecurrentLoadView load={result.load} />}
      <RecurrentHybridView
        stack={params.hybrid}
        curve={result.hybrid}
        recall={result.hybridRecall}
      />
      {result.plan !== undefined && <p className={styles.note}>kernel plan: {result.plan}</p>}
      {result.notes.map((note) => (
        <p key={note} className={styles.note}>
          {note}
        </p>
      ))}
    </>
  );
}
