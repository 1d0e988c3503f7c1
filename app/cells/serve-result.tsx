import type { Session } from '../../lib/run/session-types';
import { goodput } from '../../lib/serving/metrics';
import type { ServeResult } from '../../lib/serving/types';
import type { ServeParams } from '../../lib/spec/kinds/serve';
import { formatCount, formatPercent, formatSeconds } from '../../lib/views/format';
import { type Metric, MetricList } from './metric-list';
import styles from './results.module.css';
import { WhatIf } from './what-if';

interface Props {
  readonly result: ServeResult;
  readonly params: ServeParams;
  readonly cellId: string;
  readonly session: Session;
}

/** Estimates from board power and price, where the run has them. */
function energyMetrics({ metrics, accelerators }: ServeResult): readonly Metric[] {
  const { energyJoules, joulesPerToken, costPerMillionTokens, makespanSeconds } = metrics;
  if (energyJoules === undefined || joulesPerToken === undefined) return [];
  const watts = energyJoules / makespanSeconds / accelerators;
  return [
    {
      name: 'energy, estimated',
      value: `${formatCount(joulesPerToken)} J/token`,
      note: `${formatCount(watts)} W per accelerator`,
    },
    ...(costPerMillionTokens === undefined
      ? []
      : [{ name: 'cost', value: `${formatCount(costPerMillionTokens)} per million tokens` }]),
  ];
}

/** Key metrics. Goodput follows the SLO of the document at once: it needs the outcomes, not a rerun. */
export function ServeResultView({ result, params, cellId, session }: Props) {
  const { metrics, requests } = result;
  const attained = goodput(requests, requests.outputTokens, params.slo, metrics.makespanSeconds);
  const three = (p: { p50: number; p90: number; p99: number }) =>
    [p.p50, p.p90, p.p99].map(formatSeconds).join(' / ');
  return (
    <>
      {metrics.unstable && (
        <p className={styles.warning} role="note">
          <strong>Unstable:</strong> {metrics.unstableReason}. The figures depend on how long the
          trace is.
        </p>
      )}
      <MetricList
        metrics={[
          {
            name: 'SLO attainment',
            value: formatPercent(attained.sloAttainment),
            note: `${attained.sloAttained ? 'attains' : 'misses'} ${formatPercent(params.slo.attainment)}`,
            tone: attained.sloAttained ? 'good' : 'bad',
          },
          ...(metrics.limits === undefined
            ? []
            : [
                {
                  name: 'in time',
                  value: formatPercent(metrics.limits.metShare),
                  note: `by the limits of the requests; ${formatCount(metrics.limits.goodTokensPerSecond)} of their tokens/s`,
                },
              ]),
          {
            name: 'goodput',
            value: `${formatCount(attained.goodputPerSecond)} req/s`,
            note: `${formatCount(attained.goodputPerSecond / result.accelerators)} per accelerator`,
          },
          { name: 'TTFT p50 / p90 / p99', value: three(metrics.ttftSeconds) },
          { name: 'TPOT p50 / p90 / p99', value: three(metrics.tpotSeconds) },
          {
            name: 'TBT p50 / p90 / p99',
            value: three(metrics.tbtSeconds),
            note: `longest stall ${formatSeconds(metrics.tbtSeconds.max)}`,
          },
          {
            name: 'throughput',
            value: `${formatCount(metrics.outputTokensPerSecond)} tok/s`,
            note: `${formatCount(metrics.requestsPerSecond)} req/s`,
          },
          {
            name: 'KV use',
            value: formatPercent(metrics.kvUse.max),
            note: `mean ${formatPercent(metrics.kvUse.mean)}`,
          },
          ...energyMetrics(result),
          {
            name: 'completed',
            value: `${metrics.completed} of ${metrics.requests}`,
            note: `${metrics.restarts} restarts, ${metrics.iterations} iterations`,
          },
        ]}
      />
      {result.notes.map((note) => (
        <p key={note} className={styles.note}>
          {note}
        </p>
      ))}
      <WhatIf result={result} params={params} cellId={cellId} session={session} />
    </>
  );
}
