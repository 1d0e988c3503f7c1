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
  /** Empty while every row is one iteration. */
  runIterations: Int32Array;
  prefillTokens: Int32Array;
  decodeTokens: Int32Array;
  batchSize: Int32Array;
  queueLength: Int32Array;
  kvBlocksUsed: Int32Array;
  count: number;
  readonly totals: LaneTotals;
}

type IntColumn =
  | 'runIterations'
  | 'prefillTokens'
  | 'decodeTokens'
  | 'batchSize'
  | 'queueLength'
  | 'kvBlocksUsed';

export function createRunLog(): RunLog {
  return {
    startSeconds: new Float64Array(1024),
    durationSeconds: new Float64Array(1024),
    runIterations: new Int32Array(0),
    prefillTokens: new Int32Array(1024),
    decodeTokens: new Int32Array(1024),
    batchSize: new Int32Array(1024),
    queueLength: new Int32Array(1024),
    kvBlocksUsed: new Int32Array(1024),
    count: 0,
    totals: { busySeconds: 0, batchSum: 0, kvBlockSeconds: 0, kvMax: 0, lastEndSeconds: 0 },
  };
}

function copied<A extends Float64Array | Int32Array>(column: A, length: number): A {
  const make = column.constructor as new (length: number) => A;
  const next = new make(length);
  next.set(column);
  return next;
}

/** Makes room for `more` rows. */
export function reserveRows(log: RunLog, more: number): void {
  if (log.count + more <= log.startSeconds.length) return;
  const { length: known } = log.startSeconds;
  const length = Math.max(log.count + more, known < 2 ** 20 ? known * 2 : Math.ceil(known * 1.3));
  log.startSeconds = copied(log.startSeconds, length);
  log.durationSeconds = copied(log.durationSeconds, length);
  if (log.runIterations.length > 0) log.runIterations = copied(log.runIterations, length);
  log.prefillTokens = copied(log.prefillTokens, length);
  log.decodeTokens = copied(log.decodeTokens, length);
  log.batchSize = copied(log.batchSize, length);
  log.queueLength = copied(log.queueLength, length);
  log.kvBlocksUsed = copied(log.kvBlocksUsed, length);
}

/** From here on a row may stand for several iterations. */
export function beginRuns(log: RunLog): void {
  if (log.runIterations.length > 0) return;
  log.runIterations = new Int32Array(log.startSeconds.length).fill(1);
}

/** The lane so far. The log gives its columns away: it is the last call but for the totals. */
export function takeRunLane(
  log: RunLog,
  id: string,
  label: string,
  role: LaneRole,
  kvBlocksTotal: number,
): TimelineLane {
  const floats = (name: 'startSeconds' | 'durationSeconds'): Float64Array => {
    const column = log[name].subarray(0, log.count);
    log[name] = new Float64Array(0);
    return column;
  };
  const ints = (name: IntColumn): Int32Array => {
    const column = log[name].subarray(0, log.count);
    log[name] = new Int32Array(0);
    return column;
  };
  const hasRuns = log.runIterations.length > 0;
  const lane = {
    id,
    label,
    role,
    startSeconds: floats('startSeconds'),
    durationSeconds: floats('durationSeconds'),
    prefillTokens: ints('prefillTokens'),
    decodeTokens: ints('decodeTokens'),
    batchSize: ints('batchSize'),
    queueLength: ints('queueLength'),
    kvBlocksUsed: ints('kvBlocksUsed'),
    kvBlocksTotal,
  };
  return hasRuns ? { ...lane, runIterations: ints('runIterations') } : lane;
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
