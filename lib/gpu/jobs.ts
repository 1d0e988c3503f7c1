import type { Progress } from '../run/types';
import type { OnProgress } from '../run/worker-api';

const PROGRESS_INTERVAL_MILLISECONDS = 100;

/** Lets messages in, such as a cancel; `setTimeout` would wait at least 4 ms when nested. */
export function yieldToMessages(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/**
 * The outcome of `pending`, or the signal's reason as soon as it aborts: for waits that cannot be
 * stopped, such as a compile, but need not be waited for.
 */
export function abortable<T>(pending: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return pending;
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    pending.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/**
 * What `pending` makes, or the signal's reason as soon as it aborts; what comes after that is
 * disposed of.
 */
export function abortableResource<T>(
  pending: Promise<T>,
  signal: AbortSignal,
  dispose: (late: T) => void,
): Promise<T> {
  return abortable(pending, signal).catch((error: unknown) => {
    if (signal.aborted) void pending.then(dispose, () => undefined);
    throw error;
  });
}

/** Running jobs by the caller's id. */
export class Jobs {
  readonly #running = new Map<number, AbortController>();

  /** Runs `work` under the id; `cancel(id)` makes its signal abort and the promise reject with an AbortError. */
  async run<T>(id: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    this.#running.set(id, controller);
    try {
      return await work(controller.signal);
    } finally {
      if (this.#running.get(id) === controller) this.#running.delete(id);
    }
  }

  cancel(id: number): void {
    this.#running.get(id)?.abort(new DOMException(`job ${id} was cancelled`, 'AbortError'));
  }
}

/** At most ten reports a second; what comes in between is sent when its turn comes, the latest only, with a preview that still waits. */
export function throttled(onProgress: OnProgress): { report: OnProgress; stop: () => void } {
  let last = Number.NEGATIVE_INFINITY;
  let waiting: Progress | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const send = () => {
    timer = undefined;
    if (waiting === undefined) return;
    last = performance.now();
    onProgress(waiting);
    waiting = undefined;
  };
  return {
    report: (progress) => {
      const preview = progress.preview ?? waiting?.preview;
      waiting = preview === undefined ? progress : { ...progress, preview };
      const due = last + PROGRESS_INTERVAL_MILLISECONDS - performance.now();
      if (due <= 0) send();
      else timer ??= setTimeout(send, due);
    },
    stop: () => clearTimeout(timer),
  };
}

/** Runs `work` with throttled reports; none comes after its end. */
export async function withReports<T>(
  onProgress: OnProgress,
  work: (report: OnProgress) => Promise<T>,
): Promise<T> {
  const { report, stop } = throttled(onProgress);
  try {
    return await work(report);
  } finally {
    stop();
  }
}

/** `driveSteps`, with the time of the work alone. */
export async function driveTimedSteps<T>(
  steps: Generator<number, T>,
  signal: AbortSignal,
  onFraction: (fraction: number) => void,
): Promise<{ readonly value: T; readonly seconds: number }> {
  let seconds = 0;
  function* timed(): Generator<number, T> {
    for (;;) {
      const start = performance.now();
      const step = steps.next();
      seconds += (performance.now() - start) / 1000;
      if (step.done) return step.value;
      yield step.value;
    }
  }
  const value = await driveSteps(timed(), signal, onFraction);
  return { value, seconds };
}

/** Drives a generator of shares done, letting messages in between its steps. */
export async function driveSteps<T>(
  steps: Generator<number, T>,
  signal: AbortSignal,
  onFraction: (fraction: number) => void,
): Promise<T> {
  let lastYield = performance.now();
  try {
    for (;;) {
      signal.throwIfAborted();
      const step = steps.next();
      if (step.done) return step.value;
      onFraction(step.value);
      if (performance.now() - lastYield > 8) {
        await yieldToMessages();
        lastYield = performance.now();
      }
    }
  } finally {
    // One that is stopped half-way may have something to clean up.
    steps.return?.(undefined as T);
  }
}
