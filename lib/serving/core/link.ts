import { createIdQueue } from './id-queue';
import { createLaneLog } from './replica';

/** When a transfer will be under way, and how many go before it. */
export interface SentTransfer {
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly ahead: number;
}

/**
 * Ingress link of one decode replica: transfers queue first come first served, each lasting
 * latency + bytes / bandwidth. The next one starts when the one before has ended.
 */
export interface Link {
  /** Earliest end of a transfer in flight or queued; Infinity when idle. */
  nextEndSeconds(): number;
  /** Queues the KV of a request that sits on prefill replica `source`. */
  send(id: number, kvTokens: number, nowSeconds: number): SentTransfer;
  /** Takes the transfer that ended. */
  finish(): number;
  readonly pending: number;
  readonly log: ReturnType<typeof createLaneLog>;
}

export function createLink(
  bytesPerToken: number,
  bytesPerSecond: number,
  latencySeconds: number,
): Link {
  const queue = createIdQueue();
  const ends: number[] = [];
  const log = createLaneLog();
  let freeAt = -Infinity;
  return {
    nextEndSeconds: () => ends[0] ?? Infinity,
    send(id, kvTokens, nowSeconds) {
      const start = Math.max(nowSeconds, freeAt);
      const duration = latencySeconds + (kvTokens * bytesPerToken) / bytesPerSecond;
      freeAt = start + duration;
      queue.pushBack(id);
      ends.push(freeAt);
      log.start.push(start);
      log.duration.push(duration);
      log.prefill.push(kvTokens);
      log.decode.push(0);
      log.batch.push(1);
      log.queue.push(queue.length - 1);
      log.kv.push(0);
      log.ids.push(id);
      return { startSeconds: start, endSeconds: freeAt, ahead: queue.length - 1 };
    },
    finish() {
      ends.shift();
      return queue.popFront();
    },
    get pending() {
      return queue.length;
    },
    log,
  };
}
