import { useMemo } from 'react';
import { formatCount, formatSeconds } from '../../lib/views/format';
import { workloadFigures } from '../../lib/views/workload-rows';
import { workloadStatistics } from '../../lib/workload/statistics';
import type { Workload } from '../../lib/workload/types';
import { MetricList } from './metric-list';
import styles from './results.module.css';
import { WorkloadCharts } from './workload-charts';

export function WorkloadResultView({ workload }: { readonly workload: Workload }) {
  // Recorded results of before have none.
  const statistics = useMemo(() => workload.statistics ?? workloadStatistics(workload), [workload]);
  return (
    <>
      <MetricList
        metrics={[
          {
            name: 'requests',
            value: formatCount(workload.arrivalSeconds.length),
            note: `over ${formatSeconds(statistics.arrivals.spanSeconds)}`,
          },
          ...workloadFigures(statistics, workload.arrivalSeconds.length),
        ]}
      />
      <WorkloadCharts statistics={statistics} />
      <p className={styles.note}>{workload.source}</p>
      {workload.notes.map((note) => (
        <p key={note} className={styles.warning}>
          {note}
        </p>
      ))}
    </>
  );
}
