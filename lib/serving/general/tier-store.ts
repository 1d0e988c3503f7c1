import type { TierLevel } from '../../spec/kinds/serve-parts';
import { createLaneLog, takeLinkLane } from '../core/replica';
import { readSeconds, writeSeconds } from '../parts/load-choice';
import type { TierUse, TimelineLane } from '../types';

/** One store of one level: its contents by age, and a link each way. */
export interface TierStore {
  readonly level: TierLevel;
  /** Whether the content can be read now; asking does not count as a use. */
  has(content: number, nowSeconds: number): boolean;
  /** Keeps a content once it has been written; what it displaces is handed on. */
  write(content: number, tokens: number, nowSeconds: number): void;
  /** When a read of so many tokens would end. */
  estimateEndSeconds(tokens: number, nowSeconds: number): number;
  /** Queues a read for a request, a use of each of the contents. */
  read(id: number, contents: readonly number[], tokens: number, nowSeconds: number): ReadTimes;
  readonly use: Omit<TierUse, 'name'>;
  lanes(): TimelineLane[];
}

export interface TierStoreOptions {
  readonly id: string;
  readonly label: string;
  readonly level: TierLevel;
  readonly bytesPerToken: number;
  /** What the store drops: the next level may take it. */
  readonly onDropped: (content: number, tokens: number, nowSeconds: number) => void;
}

/** When a read begins, behind those before it, and when it ends. */
export interface ReadTimes {
  readonly startSeconds: number;
  readonly endSeconds: number;
}

/** A link that takes one transfer after the other. */
function createQueueLink() {
  const log = createLaneLog();
  let freeAt = 0;
  return {
    log,
    freeAt: () => freeAt,
    send(id: number, tokens: number, seconds: number, now: number): number {
      const start = Math.max(now, freeAt);
      freeAt = start + seconds;
      log.start.push(start);
      log.duration.push(seconds);
      log.prefill.push(tokens);
      log.decode.push(0);
      log.batch.push(1);
      log.queue.push(0);
      log.kv.push(0);
      log.ids.push(id);
      return freeAt;
    },
  };
}

/** Least recently used goes first. A block written is readable when its transfer has ended. */
export function createTierStore(options: TierStoreOptions): TierStore {
  const { id, label, level, bytesPerToken, onDropped } = options;
  const capacityTokens =
    (level.capacityGigabytes * 1e9) / Math.max(1e-9, bytesPerToken * level.bytesRatio);
  // A map hands its keys out in the order in which they were put in.
  const entries = new Map<number, { readonly tokens: number; readonly readyAt: number }>();
  const reading = createQueueLink();
  const writing = createQueueLink();
  const use = { readTokens: 0, writtenTokens: 0, storedTokens: 0 };

  function touch(content: number): void {
    const entry = entries.get(content);
    if (entry === undefined) return;
    entries.delete(content);
    entries.set(content, entry);
  }
  function makeRoom(tokens: number, now: number): void {
    for (const [content, entry] of entries) {
      if (use.storedTokens + tokens <= capacityTokens) return;
      entries.delete(content);
      use.storedTokens -= entry.tokens;
      onDropped(content, entry.tokens, now);
    }
  }

  return {
    level,
    use,
    has: (content, now) => (entries.get(content)?.readyAt ?? Infinity) <= now,
    write(content, tokens, now) {
      if (entries.has(content)) {
        touch(content);
        return;
      }
      if (tokens > capacityTokens) {
        onDropped(content, tokens, now);
        return;
      }
      makeRoom(tokens, now);
      const readyAt = writing.send(-1, tokens, writeSeconds(level, tokens, bytesPerToken), now);
      entries.set(content, { tokens, readyAt });
      use.storedTokens += tokens;
      use.writtenTokens += tokens;
    },
    estimateEndSeconds: (tokens, now) =>
      Math.max(now, reading.freeAt()) + readSeconds(level, tokens, bytesPerToken),
    read(id, contents, tokens, now) {
      for (const content of contents) touch(content);
      use.readTokens += tokens;
      const startSeconds = Math.max(now, reading.freeAt());
      const seconds = readSeconds(level, tokens, bytesPerToken);
      return { startSeconds, endSeconds: reading.send(id, tokens, seconds, now) };
    },
    lanes: () => [
      takeLinkLane(reading.log, `${id}-read`, `${label}, read`, 'read'),
      takeLinkLane(writing.log, `${id}-write`, `${label}, write`, 'write'),
    ],
  };
}
