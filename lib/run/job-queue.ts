/** One unit of work of a serial queue. */
export interface QueuedJob {
  /** At most one job per key is pending. */
  readonly key: string;
  /** Settles only when the worker is free again, also after an abort; must not reject. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** Called instead of `run` when the job leaves the queue before its turn. */
  readonly onDropped?: () => void;
}

/** One worker's queue: one job at a time, in order, latest wins. */
export interface JobQueue {
  /**
   * Appends the job. A pending job of the same key gives it its place and is dropped; a running one
   * is aborted. With `first` a new job goes before the pending ones.
   */
  put(job: QueuedJob, options?: { readonly first?: boolean }): void;
  /** Drops the pending job of the key and aborts the running one. */
  drop(key: string): void;
  clear(): void;
  /** Jobs pending and running. */
  size(): number;
}

export function createJobQueue(): JobQueue {
  let pending: QueuedJob[] = [];
  let running: { readonly key: string; readonly abort: AbortController } | undefined;
  let isScheduled = false;

  // A turn later, so that a whole plan can be put before its first job starts.
  function schedule(): void {
    if (isScheduled || running !== undefined || pending.length === 0) return;
    isScheduled = true;
    queueMicrotask(() => {
      isScheduled = false;
      void startNext();
    });
  }

  async function startNext(): Promise<void> {
    const job = running === undefined ? pending.shift() : undefined;
    if (job === undefined) return;
    const started = { key: job.key, abort: new AbortController() };
    running = started;
    try {
      await job.run(started.abort.signal);
    } finally {
      running = undefined;
      schedule();
    }
  }

  function abortRunning(key: string): void {
    if (running?.key === key) running.abort.abort();
  }

  return {
    put(job, options = {}) {
      abortRunning(job.key);
      const index = pending.findIndex((other) => other.key === job.key);
      if (index >= 0) {
        const [replaced] = pending.splice(index, 1, job);
        replaced?.onDropped?.();
      } else if (options.first) {
        pending.unshift(job);
      } else {
        pending.push(job);
      }
      schedule();
    },
    drop(key) {
      abortRunning(key);
      const dropped = pending.filter((job) => job.key === key);
      pending = pending.filter((job) => job.key !== key);
      for (const job of dropped) job.onDropped?.();
    },
    clear() {
      running?.abort.abort();
      const dropped = pending;
      pending = [];
      for (const job of dropped) job.onDropped?.();
    },
    size: () => pending.length + (running === undefined ? 0 : 1),
  };
}
