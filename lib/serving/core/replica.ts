import type { LaneRole, TimelineLane } from '../types';
import { growableFloats, growableInts } from './growable';
import { createIdQueue, type IdQueue } from './id-queue';
import type { Requests } from './requests';

/** One model instance: its waiting queue, running list, block pool and the batch in flight. */
export interface Replica {
  readonly index: number;
  readonly role: LaneRole;
  readonly waiting: IdQueue;
  /** Requests whose batch has ended and that are not complete, in batch order. */
  running: Int32Array;
  runningCount: number;
  readonly blocks: {
    used: number;
    readonly total: number;
    readonly watermark: number;
    readonly tokens: number;
  };
  /** Requests that hold blocks. */
  holders: number;
  /** The batch being formed or in flight: ids, and the tokens of each in this iteration. */
  batchIds: Int32Array;
  batchTokens: Int32Array;
  batchCount: number;
  isBusy: boolean;
  endSeconds: number;
  /** End of the iteration before: a request that emitted then shares one gap with its fellows. */
  previousEndSeconds: number;
  /** Requests routed here and not yet finished here. */
  outstanding: number;
  readonly log: LaneLog;
}

interface LaneLog {
  readonly start: ReturnType<typeof growableFloats>;
  readonly duration: ReturnType<typeof growableFloats>;
  readonly prefill: ReturnType<typeof growableInts>;
  readonly decode: ReturnType<typeof growableInts>;
  readonly batch: ReturnType<typeof growableInts>;
  readonly queue: ReturnType<typeof growableInts>;
  readonly kv: ReturnType<typeof growableInts>;
  /** Of a link: whose KV each row moves. */
  readonly ids: ReturnType<typeof growableInts>;
}

export function createLaneLog(): LaneLog {
  return {
    start: growableFloats(),
    duration: growableFloats(),
    prefill: growableInts(),
    decode: growableInts(),
    batch: growableInts(),
    queue: growableInts(),
    kv: growableInts(),
    ids: growableInts(),
  };
}

export function takeLane(
  log: LaneLog,
  id: string,
  label: string,
  role: LaneRole,
  kvBlocksTotal: number,
): TimelineLane {
  return {
    id,
    label,
    role,
    startSeconds: log.start.take(),
    durationSeconds: log.duration.take(),
    prefillTokens: log.prefill.take(),
    decodeTokens: log.decode.take(),
    batchSize: log.batch.take(),
    queueLength: log.queue.take(),
    kvBlocksUsed: log.kv.take(),
    kvBlocksTotal,
  };
}

/** The lane of a link, whose rows are transfers. */
export function takeLinkLane(
  log: LaneLog,
  id: string,
  label: string,
  traffic: NonNullable<TimelineLane['traffic']> = 'transfer',
): TimelineLane {
  const lane = takeLane(log, id, label, 'link', 0);
  return traffic === 'write'
    ? { ...lane, traffic }
    : { ...lane, traffic, requestIds: log.ids.take() };
}

export function createReplica(
  index: number,
  role: LaneRole,
  kvBlocks: number,
  blockTokens: number,
  watermarkBlocks: number,
): Replica {
  return {
    index,
    role,
    waiting: createIdQueue(),
    running: new Int32Array(64),
    runningCount: 0,
    blocks: { used: 0, total: kvBlocks, watermark: watermarkBlocks, tokens: blockTokens },
    holders: 0,
    batchIds: new Int32Array(64),
    batchTokens: new Int32Array(64),
    batchCount: 0,
    isBusy: false,
    endSeconds: Infinity,
    previousEndSeconds: Number.NaN,
    outstanding: 0,
    log: createLaneLog(),
  };
}

function larger(column: Int32Array): Int32Array {
  const next = new Int32Array(column.length * 2);
  next.set(column);
  return next;
}

export function pushRunning(replica: Replica, id: number): void {
  if (replica.runningCount === replica.running.length) replica.running = larger(replica.running);
  replica.running[replica.runningCount++] = id;
}

export function pushBatch(replica: Replica, id: number, tokens: number): void {
  if (replica.batchCount === replica.batchIds.length) {
    replica.batchIds = larger(replica.batchIds);
    replica.batchTokens = larger(replica.batchTokens);
  }
  replica.batchIds[replica.batchCount] = id;
  replica.batchTokens[replica.batchCount++] = tokens;
}

export function blocksFor(replica: Replica, tokens: number): number {
  return Math.ceil(tokens / replica.blocks.tokens);
}

/** Whether a new request's whole prefill fits above the watermark. */
export function canAdmit(replica: Replica, tokens: number): boolean {
  const { total, used, watermark } = replica.blocks;
  return total - used - blocksFor(replica, tokens) >= watermark;
}

/** Takes the blocks of a request that holds none yet. */
export function admitBlocks(
  replica: Replica,
  requests: Requests,
  id: number,
  tokens: number,
): void {
  const blocks = blocksFor(replica, tokens);
  replica.blocks.used += blocks;
  requests.blocksHeld[id] = blocks;
  replica.holders++;
}

/** Takes one more block when the token being fed does not fit in the held ones. */
export function growBlocks(replica: Replica, requests: Requests, id: number): void {
  const held = requests.blocksHeld[id] as number;
  if ((requests.processed[id] as number) > held * replica.blocks.tokens) {
    requests.blocksHeld[id] = held + 1;
    replica.blocks.used++;
  }
}

export function releaseBlocks(replica: Replica, requests: Requests, id: number): void {
  replica.blocks.used -= requests.blocksHeld[id] as number;
  requests.blocksHeld[id] = 0;
  replica.holders--;
}

/** Sorts the running list by arrival, stably: an insertion sort, since it is almost sorted already. */
export function sortRunning(replica: Replica, requests: Requests): void {
  const { running } = replica;
  const { arrivalSeconds } = requests;
  for (let i = 1; i < replica.runningCount; i++) {
    const id = running[i] as number;
    const arrival = arrivalSeconds[id] as number;
    let j = i - 1;
    while (j >= 0 && (arrivalSeconds[running[j] as number] as number) > arrival) {
      running[j + 1] = running[j] as number;
      j--;
    }
    running[j + 1] = id;
  }
}
