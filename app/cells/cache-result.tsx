'use client';

import type { CacheResult, CacheRun } from '../../lib/evaluate/cell-result';
import type { Evaluation } from '../../lib/evaluate/types';
import type { Session } from '../../lib/run/session-types';
import type { Provenance } from '../../lib/run/types';
import type { MapParams } from '../../lib/spec/kinds/views';
import { formatBytes, formatCount, formatPercent, formatSeconds } from '../../lib/views/format';
import { AccuracyChart } from './accuracy-chart';
import styles from './cache.module.css';
import { CacheAttention } from './cache-attention';
import { CacheGates } from './cache-gates';
import { CacheSlots } from './cache-slots';
import { ScrollRegion } from './scroll-region';

interface Props {
  readonly cellId: string;
  readonly result: CacheResult;
  /** Absent while the result is a partial one. */
  readonly provenance: Provenance | undefined;
  readonly session: Session;
  /** Puts a map into the notebook; gives the sentence why not, or undefined. */
  readonly onMap: (params: MapParams) => string | undefined;
}

/** Policies side by side: what was answered, what it cost, and what every slot became. */
export function CacheResultView(props: Props) {
  const { cellId, result, provenance, session, onMap } = props;
  const { runs, taskName, notes, params, modelName, engine, workers } = result;
  const first = runs.find(({ evaluation }) => evaluation !== undefined)?.evaluation;
  return (
    <>
      <p className={styles.note}>
        {taskName}: {params.samples} contexts of {params.contextTokens} tokens,{' '}
        {protocolText(params)}; {modelName}, {ENGINE_NAMES[engine]} in {workers}{' '}
        {workers === 1 ? 'worker' : 'workers'}.
        {first !== undefined && ` Chance is ${formatPercent(first.chance)}.`}
      </p>
      <AccuracyChart result={result} />
      <RunTable runs={runs} full={first?.bytesPerToken.full} />
      <Breakdown runs={runs} />
      <CacheGates runs={runs} />
      <CacheSlots
        cellId={cellId}
        result={result}
        resultKey={provenance?.computedAt ?? JSON.stringify(params)}
        session={session}
      />
      <CacheAttention {...{ cellId, result, provenance, session, onMap }} />
      <details className={styles.details}>
        <summary>Sources of the policies</summary>
        <ul>
          {runs.map(({ label, source, defaults }) => (
            <li key={label}>
              <strong>{label}</strong>: {source}. {defaults}
            </li>
          ))}
        </ul>
      </details>
      {notes.map((note) => (
        <p key={note} className={styles.note}>
          {note}
        </p>
      ))}
    </>
  );
}

const ENGINE_NAMES: Readonly<Record<CacheResult['engine'], string>> = {
  webgpu: 'WebGPU',
  wasm: 'WebAssembly',
  reference: 'plain TypeScript',
};

function protocolText({ protocol }: CacheResult['params']): string {
  if (protocol === 'known') return 'the question in sight when the cache is compressed';
  if (protocol === 'hidden') return 'the question hidden until the cache is compressed';
  return 'the second to fifth question on one compressed cache';
}

type Column = readonly [name: string, cell: (evaluation: Evaluation, run: CacheRun) => string];

const COLUMNS: readonly Column[] = [
  ['accuracy', ({ accuracy }) => (accuracy ? formatPercent(accuracy.share) : '')],
  [
    '95 % interval',
    ({ accuracy }) =>
      accuracy ? `${formatPercent(accuracy.low)} to ${formatPercent(accuracy.high)}` : '',
  ],
  ['answers', ({ accuracy }) => (accuracy ? `${accuracy.right} of ${accuracy.total}` : '')],
  [
    'loss above entropy',
    ({ lossGapNats }) =>
      lossGapNats ? `${lossGapNats.mean.toFixed(3)} nats (to ${lossGapNats.high.toFixed(3)})` : '',
  ],
  ['bytes per token', ({ bytesPerToken }) => formatBytes(held(bytesPerToken))],
  ['payload', ({ bytesPerToken }) => formatBytes(bytesPerToken.payload)],
  ['overhead', ({ bytesPerToken }) => formatBytes(bytesPerToken.overhead)],
  ['in host memory', ({ bytesPerToken }) => formatBytes(bytesPerToken.host)],
  ['of full in f16', ({ byteRatio }) => formatPercent(byteRatio)],
  ['slots', ({ slotRatio }) => formatPercent(slotRatio)],
  ['moved per context', ({ movedBytesPerSample }) => formatBytes(movedBytesPerSample)],
  ['moved per token', ({ movedBytesPerToken }) => ifKnown(movedBytesPerToken, formatBytes)],
  [
    'recomputed',
    ({ recomputedTokenLayersPerSample }) => formatCount(recomputedTokenLayersPerSample),
  ],
  [
    'recomputed, FLOP',
    ({ recomputedFlopsPerSample }) => ifKnown(recomputedFlopsPerSample, formatCount),
  ],
  ['time', (_, { seconds }) => formatSeconds(seconds)],
];

/** Results that were recorded by an earlier version lack what it did not count. */
function ifKnown(value: number | undefined, format: (value: number) => string): string {
  return value === undefined || Number.isNaN(value) ? '' : format(value);
}

function held({ payload, overhead, host }: Evaluation['bytesPerToken']): number {
  return payload + overhead + host;
}

function RunTable(props: {
  readonly runs: readonly CacheRun[];
  readonly full: number | undefined;
}) {
  const { runs, full } = props;
  const used = COLUMNS.filter(([, cell]) =>
    runs.some((run) => run.evaluation !== undefined && cell(run.evaluation, run) !== ''),
  );
  return (
    <ScrollRegion label="policies" className={styles.scroll}>
      <table>
        <caption>
          bytes of real buffers after compression, per context token
          {full !== undefined && `; the full cache in f16 has ${formatBytes(full)}`}
        </caption>
        <thead>
          <tr>
            <th scope="col">policy</th>
            {used.map(([name]) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.label}>
              <th scope="row">
                {run.label}
                {run.isOracle && <small> oracle</small>}
                {run.evaluation !== undefined && <SoFar evaluation={run.evaluation} />}
              </th>
              {run.evaluation === undefined ? (
                <td colSpan={Math.max(1, used.length)} data-tone="bad">
                  <div className={styles.refused}>{run.problem}</div>
                </td>
              ) : (
                used.map(([name, cell]) => (
                  <td key={name}>{cell(run.evaluation as Evaluation, run)}</td>
                ))
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

/** How many of its contexts a run has done, while it has not done all. */
function SoFar({ evaluation }: { readonly evaluation: Evaluation }) {
  const { samplesDone, plan } = evaluation;
  return samplesDone < plan.samples ? (
    <small>
      {' '}
      {samplesDone} of {plan.samples} contexts so far
    </small>
  ) : null;
}

/** Accuracy by place of the answer and by kind of question. */
function Breakdown({ runs }: { readonly runs: readonly CacheRun[] }) {
  const ran = runs.flatMap(({ label, evaluation }) =>
    evaluation?.accuracy === undefined ? [] : [{ label, evaluation }],
  );
  if (ran.length === 0) return null;
  const keysOf = <K,>(list: (evaluation: Evaluation) => readonly { readonly key: K }[]) => [
    ...new Set(ran.flatMap(({ evaluation }) => list(evaluation).map(({ key }) => key))),
  ];
  const kinds = keysOf(({ byKind }) => byKind);
  const depths = keysOf(({ byDepth }) => byDepth).sort((a, b) => a - b);
  const text = (found: { readonly share: number } | undefined) =>
    found === undefined ? '' : formatPercent(found.share);
  return (
    <details className={styles.details}>
      <summary>By place of the answer and by kind of question</summary>
      <ScrollRegion label="by place and kind" className={styles.scroll}>
        <table>
          <caption className="visually-hidden">right answers by place and kind</caption>
          <thead>
            <tr>
              <th scope="col">policy</th>
              {depths.map((depth) => (
                <th key={depth} scope="col">
                  from {formatPercent(depth)}
                </th>
              ))}
              {kinds.map((kind) => (
                <th key={kind} scope="col">
                  {kind}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {ran.map(({ label, evaluation }) => (
              <tr key={label}>
                <th scope="row">{label}</th>
                {depths.map((depth) => (
                  <td key={depth}>{text(evaluation.byDepth.find(({ key }) => key === depth))}</td>
                ))}
                {kinds.map((kind) => (
                  <td key={kind}>{text(evaluation.byKind.find(({ key }) => key === kind))}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
    </details>
  );
}
