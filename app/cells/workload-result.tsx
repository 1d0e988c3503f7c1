import { formatCount, formatSeconds } from '../../lib/views/format';
import { workloadSummary } from '../../lib/workload/summary';
import type { Workload } from '../../lib/workload/types';
import { MetricList } from './metric-list';
import styles from './results.module.css';

export function WorkloadResultView({ workload }: { readonly workload: Workload }) {
  const summary = workloadSummary(workload);
  const three = (p: { p50: number; p90: number; p99: number }) =>
    [p.p50, p.p90, p.p99].map(formatCount).join(' / ');
  return (
    <>
      <MetricList
        metrics={[
          {
            name: 'requests',
            value: formatCount(summary.requests),
            note: `over ${formatSeconds(summary.spanSeconds)}`,
          },
          {
            name: 'rate',
            value: `${formatCount(summary.ratePerSecond)} /s`,
            note: `gap CV ${summary.gapCv.toFixed(2)}`,
          },
          {
            name: 'prompt tokens p50 / p90 / p99',
            value: three(summary.promptTokens),
            note: `mean ${formatCount(summary.promptTokens.mean)}`,
          },
          {
            name: 'output tokens p50 / p90 / p99',
            value: three(summary.outputTokens),
            note: `mean ${formatCount(summary.outputTokens.mean)}`,
          },
        ]}
      />
      <p className={styles.note}>{workload.source}</p>
      {workload.notes.map((note) => (
        <p key={note} className={styles.warning}>
          {note}
        </p>
      ))}
    </>
  );
}
