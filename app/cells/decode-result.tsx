import type { DecodeResult } from '../../lib/attention/decode/result';
import { formatBytes, formatCount, formatPercent } from '../../lib/views/format';
import { BlockTableView } from './block-table';
import { type Metric, MetricList } from './metric-list';
import { PackedWordView } from './packed-word';
import styles from './results.module.css';
import { StorageChart } from './storage-chart';
import { StorageDetails, StorageTable } from './storage-table';

/** Storages of a cache side by side: bytes, errors, times; for a paged one the pool's pages. */
export function DecodeResultView({ result }: { readonly result: DecodeResult }) {
  const { storages, paged, engineNote, notes, timing, roof } = result;
  return (
    <>
      {engineNote !== undefined && <p className={styles.note}>{engineNote}</p>}
      {storages.some(({ kernelError }) => kernelError?.withinTolerance === false) && (
        <p className={styles.warning}>a kernel is further from f64 than f32 explains; see below</p>
      )}
      {paged !== undefined && <MetricList metrics={pageMetrics(paged, storages)} />}
      {paged !== undefined && <BlockTableView table={paged} />}
      <StorageTable storages={storages} />
      {storages.length > 1 && <StorageChart storages={storages} />}
      <StorageDetails storages={storages} />
      <PackedWordView storages={storages} />
      <p className={styles.note}>
        times by {timing.clock === 'timestamp-query' ? 'GPU timestamps' : 'the CPU clock'}, median
        of {timing.samplesSeconds.length} after {timing.warmupRuns}
        {roof === undefined
          ? ''
          : `; copy roof ${formatCount(roof.copyGigabytesPerSecond)} GB/s measured, read and write`}
      </p>
      {notes.map((note) => (
        <p key={note} className={styles.note}>
          {note}
        </p>
      ))}
    </>
  );
}

function pageMetrics(
  paged: NonNullable<DecodeResult['paged']>,
  storages: DecodeResult['storages'],
): readonly Metric[] {
  const [first] = storages;
  const of = storages.length > 1 && first !== undefined ? `, ${first.name}` : '';
  return [
    {
      name: 'pages used',
      value: `${paged.usedPages} of ${paged.pages}`,
      note: `${paged.partialPages} partly filled, ${paged.sharedPages} shared`,
    },
    {
      name: 'internal fragmentation',
      value: formatPercent(paged.internalFragmentation),
      note: 'empty places in used pages',
    },
    {
      name: `kept${of}`,
      value: formatBytes(paged.pageBytes),
      note: `a stretch of the longest length for each sequence takes ${formatBytes(paged.reservedBytes)}`,
    },
    { name: 'block table', value: formatBytes(paged.tableBytes), note: 'with the lengths' },
    {
      name: `saved by sharing${of}`,
      value: formatBytes(paged.savedBytes),
      note: 'shared pages are counted once',
    },
  ];
}
