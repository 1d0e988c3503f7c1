import type { EncodePart } from '../../spec/kinds/serve-encode';
import { createLink } from '../core/link';
import { createLaneLog, takeLane, takeLinkLane } from '../core/replica';
import type { TimelineLane } from '../types';
import type { SideEvents } from './event-loop';

type PoolPart = Extract<EncodePart, { type: 'pool' }>;

interface Worker {
  isActive: boolean;
  /** When what it does ends; Infinity while it has nothing. */
  endSeconds: number;
  id: number;
  items: number;
  readonly log: ReturnType<typeof createLaneLog>;
}

/** Workers that turn images into tokens before a request may be computed. */
export interface Encoders extends SideEvents {
  /** Takes a request with images; false for one without. */
  take(id: number): boolean;
  /** Seconds of work that waits, over all workers. */
  waitingSeconds(): number;
  /** Workers that are not about to leave. */
  readonly active: number;
  /** One worker ends what it does and takes no more; the place of a worker that is idle. */
  retire(): number;
  isIdle(worker: number): boolean;
  /** A worker more. */
  enlist(): void;
  lanes(): TimelineLane[];
}

export interface EncodersOptions {
  readonly part: PoolPart;
  /** Workers that there may ever be. */
  readonly most: number;
  readonly items: Int32Array;
  readonly nowSeconds: () => number;
  /** A request's images are encoded and where its prompt is computed. */
  readonly onReady: (id: number) => void;
}

/**
 * First come first served: images of one request on all free workers at once, or a whole request on one.
 * What they become moves over one link, transfers one after the other.
 */
export function createEncoders(options: EncodersOptions): Encoders {
  const { part, items, most } = options;
  const seconds = part.millisecondsPerItem / 1e3;
  const link = createLink(part.megabytesPerItem * 1e6, part.linkGigabytesPerSecond * 1e9, 0);
  const workers: Worker[] = Array.from({ length: most }, (_, i) => ({
    isActive: i < part.workers,
    endSeconds: Infinity,
    id: -1,
    items: 0,
    log: createLaneLog(),
  }));
  /** Requests with images that nobody has begun, and images that are not encoded. */
  const waiting: { readonly id: number; items: number }[] = [];
  const left = new Map<number, number>();

  function start(): void {
    const now = options.nowSeconds();
    for (const worker of workers) {
      const first = waiting[0];
      if (first === undefined) return;
      if (!worker.isActive || worker.endSeconds !== Infinity) continue;
      const taken = part.parallel ? 1 : first.items;
      first.items -= taken;
      if (first.items === 0) waiting.shift();
      worker.id = first.id;
      worker.items = taken;
      worker.endSeconds = now + taken * seconds;
      const { log } = worker;
      log.start.push(now);
      log.duration.push(taken * seconds);
      log.prefill.push(taken);
      log.decode.push(0);
      log.batch.push(taken);
      log.queue.push(waiting.length);
      log.kv.push(0);
      log.ids.push(first.id);
    }
  }

  return {
    take(id) {
      const count = items[id] as number;
      if (count === 0) return false;
      left.set(id, count);
      waiting.push({ id, items: count });
      start();
      return true;
    },
    waitingSeconds: () => waiting.reduce((sum, each) => sum + each.items, 0) * seconds,
    get active() {
      return workers.reduce((sum, { isActive }) => sum + (isActive ? 1 : 0), 0);
    },
    retire() {
      const idle = workers.findIndex(
        ({ isActive, endSeconds }) => isActive && endSeconds === Infinity,
      );
      const place = idle >= 0 ? idle : workers.findIndex(({ isActive }) => isActive);
      (workers[place] as Worker).isActive = false;
      return place;
    },
    isIdle: (place) => (workers[place] as Worker).endSeconds === Infinity,
    enlist() {
      const place = workers.findIndex(
        ({ isActive, endSeconds }) => !isActive && endSeconds === Infinity,
      );
      (workers[place] as Worker).isActive = true;
      start();
    },
    nextSeconds: () =>
      workers.reduce((next, { endSeconds }) => Math.min(next, endSeconds), link.nextEndSeconds()),
    handle(now) {
      for (const worker of workers) {
        if (worker.endSeconds > now) continue;
        const { id } = worker;
        worker.endSeconds = Infinity;
        const rest = (left.get(id) as number) - worker.items;
        left.set(id, rest);
        if (rest > 0) continue;
        left.delete(id);
        link.send(id, items[id] as number, now);
      }
      start();
      while (link.nextEndSeconds() <= now) options.onReady(link.finish());
    },
    lanes: () => [
      ...workers.flatMap(({ log }, i) =>
        log.start.length > 0
          ? [
              {
                ...takeLane(log, `encoder-${i}`, `encoder ${i}`, 'encode', 0),
                requestIds: log.ids.take(),
              },
            ]
          : [],
      ),
      takeLinkLane(link.log, 'encoded', 'encoded images', 'images'),
    ],
  };
}
