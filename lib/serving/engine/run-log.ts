import type { LaneRole, TimelineLane } from '../types';

/** Sums over the iterations of a lane, exact however the lane is kept. */
export interface LaneTotals {
  busySeconds: number;
  batchSum: number;
  /** KV blocks in use x seconds. */
  kvBlockSeconds: number;
  kvMax: number;
  lastEndSeconds: number;
}

/** The iterations of one lane, appended run by run. */
export interface RunLog {
  startSeconds: Float64Array;
  durationSeconds: Float64Array;
  runIterations: Int32Array;
  prefillTokens: Int32Array;
  decodeTokens: Int32Array;
  batchSize: Int32Array;
  queueLength: Int32Array;
  kvBlocksUsed: Int32Array;
  count: number;
  /** Whether some row stands for more than one iteration. */
  hasRuns: boolean;
  readonly totals: LaneTotals;
}

export function createRunLog(): RunLog {
  return {
    startSeconds: new Float64Array(1024),
    durationSeconds: new Float64Array(1024),
    runIterations: new Int32Array(1024),
    prefillTokens: new Int32Array(1024),
    decodeTokens: new Int32Array(1024),
    batchSize: new Int32Array(1024),
    queueLength: new Int32Array(1024),
    kvBlocksUsed: new Int32Array(1024),
    count: 0,
    hasRuns: false,
    totals: { busySeconds: 0, batchSum: 0, kvBlockSeconds: 0, kvMax: 0, lastEndSeconds: 0 },
  };
}

function copied<A extends Float64Array | Int32Array>(column: A, length: number): A {
  const make = column.constructor as new (length: number) => A;
  const next = new make(length);
  next.set(column.subarray(0, Math.min(length, column.length)));
  return next;
}

/** Makes room for `more` rows. */
export function reserveRows(log: RunLog, more: number): void {
  if (log.count + more <= log.startSeconds.length) return;
  const length = Math.max(log.count + more, Math.ceil(log.startSeconds.length * 1.6));
  log.startSeconds = copied(log.startSeconds, length);
  log.durationSeconds = copied(log.durationSeconds, length);
  log.runIterations = copied(log.runIterations, length);
  log.prefillTokens = copied(log.prefillTokens, length);
  log.decodeTokens = copied(log.decodeTokens, length);
  log.batchSize = copied(log.batchSize, length);
  log.queueLength = copied(log.queueLength, length);
  log.kvBlocksUsed = copied(log.kvBlocksUsed, length);
}

export function takeRunLane(
  log: RunLog,
  id: string,
  label: string,
  role: LaneRole,
  kvBlocksTotal: number,
): TimelineLane {
  const { count } = log;
  const lane = {
    id,
    label,
    role,
    startSeconds: copied(log.startSeconds, count),
    durationSeconds: copied(log.durationSeconds, count),
    prefillTokens: copied(log.prefillTokens, count),
    decodeTokens: copied(log.decodeTokens, count),
    batchSize: copied(log.batchSize, count),
    queueLength: copied(log.queueLength, count),
    kvBlocksUsed: copied(log.kvBlocksUsed, count),
    kvBlocksTotal,
  };
  return log.hasRuns ? { ...lane, runIterations: copied(log.runIterations, count) } : lane;
}

/** The same sums, of a lane of single iterations. */
export function totalsOf(lane: TimelineLane): LaneTotals {
  const { startSeconds, durationSeconds } = lane;
  const last = startSeconds.length - 1;
  const totals: LaneTotals = {
    busySeconds: 0,
    batchSum: 0,
    kvBlockSeconds: 0,
    kvMax: 0,
    lastEndSeconds:
      last < 0 ? 0 : (startSeconds[last] as number) + (durationSeconds[last] as number),
  };
  for (let i = 0; i <= last; i++) {
    const duration = durationSeconds[i] as number;
    const used = lane.kvBlocksUsed[i] as number;
    totals.busySeconds += duration;
    totals.batchSum += lane.batchSize[i] as number;
    totals.kvBlockSeconds += used * duration;
    totals.kvMax = Math.max(totals.kvMax, used);
  }
  return totals;
}
