import type { Clock } from '../attention/types';
import type { GpuDevice } from './device';

/** Where a run writes its two time stamps: first at the start of its first pass, second at the end of its last. */
export interface Stamps {
  readonly querySet: GPUQuerySet;
}

export interface Measurement {
  readonly medianSeconds: number;
  readonly samplesSeconds: readonly number[];
  readonly warmupRuns: number;
  readonly clock: Clock;
}

/** Encodes and submits one run; resolves when the device has done it. */
export type TimedRun = (stamps: Stamps | undefined) => Promise<void>;

/** Median; the mean of the middle two for an even count. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new Error('median of no values');
  return sorted.length % 2 === 1 ? upper : (sorted[middle - 1]! + upper) / 2;
}

/** Time stamps of a pass that is the first, the last, both or neither of its run. */
export function passTimestamps(
  stamps: Stamps | undefined,
  isFirst: boolean,
  isLast: boolean,
): GPUComputePassTimestampWrites | undefined {
  if (stamps === undefined || (!isFirst && !isLast)) return undefined;
  return {
    querySet: stamps.querySet,
    ...(isFirst ? { beginningOfPassWriteIndex: 0 } : {}),
    ...(isLast ? { endOfPassWriteIndex: 1 } : {}),
  };
}

/**
 * The only timing helper: `warmupRuns` untimed runs, then `runs` timed ones. The clock is
 * timestamp-query where the device has it, else performance.now from submit to done. Browsers may
 * round time stamps to about 100 us, so a sample of 0 falls back to performance.now.
 */
export async function measure(
  gpu: GpuDevice,
  run: TimedRun,
  options: {
    readonly runs: number;
    readonly warmupRuns: number;
    /** After every run, with the number of runs done; may throw to stop. */
    readonly onRun?: (done: number) => void;
  },
): Promise<Measurement> {
  const { device } = gpu;
  const wall: number[] = [];
  const stamped: number[] = [];
  let stamps: Stamps | undefined;
  let resolved: GPUBuffer | undefined;
  let readable: GPUBuffer | undefined;
  if (gpu.info.hasTimestampQuery) {
    stamps = { querySet: device.createQuerySet({ type: 'timestamp', count: 2 }) };
    resolved = device.createBuffer({
      size: 16,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
    readable = device.createBuffer({
      size: 16,
      usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    });
  }
  try {
    for (let i = 0; i < options.warmupRuns + options.runs; i++) {
      const start = performance.now();
      await run(stamps);
      const seconds = (performance.now() - start) / 1000;
      if (i >= options.warmupRuns) {
        wall.push(seconds);
        if (stamps !== undefined && resolved !== undefined && readable !== undefined) {
          const encoder = device.createCommandEncoder();
          encoder.resolveQuerySet(stamps.querySet, 0, 2, resolved, 0);
          encoder.copyBufferToBuffer(resolved, 0, readable, 0, 16);
          device.queue.submit([encoder.finish()]);
          await gpu.settle(readable.mapAsync(GPUMapMode.READ));
          const [begin, end] = new BigUint64Array(readable.getMappedRange());
          stamped.push(Number((end ?? 0n) - (begin ?? 0n)) / 1e9);
          readable.unmap();
        }
      }
      options.onRun?.(i + 1);
    }
  } finally {
    stamps?.querySet.destroy();
    resolved?.destroy();
    readable?.destroy();
  }
  const isStamped = stamped.length === options.runs && stamped.every((seconds) => seconds > 0);
  const samplesSeconds = isStamped ? stamped : wall;
  return {
    medianSeconds: median(samplesSeconds),
    samplesSeconds,
    warmupRuns: options.warmupRuns,
    clock: isStamped ? 'timestamp-query' : 'performance.now',
  };
}
