import { proxy, wrap } from 'comlink';
import type { Cancellable, OnProgress } from './worker-api';

/** How long a worker may take to answer a cancel before it is terminated. */
export const CANCEL_ANSWER_MILLISECONDS = 1500;

/** An api as seen through a port: the same methods, all of them asynchronous. */
export type RemoteApi<Api> = {
  readonly [K in keyof Api]: Api[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
};

/** One call over the port. Hand `jobId` and `onProgress` on to the method that is called. */
export type WorkerCall<Api, T> = (
  api: RemoteApi<Api>,
  jobId: number,
  onProgress: OnProgress,
) => Promise<T>;

export interface CallOptions {
  /** Aborting cancels the job in the worker; the call rejects with an `AbortError` in at most 1.5 s. */
  readonly signal?: AbortSignal;
  /** Not called any more once the call is aborted or settled. */
  readonly onProgress?: OnProgress;
}

/** A worker that may die: it is spawned by the first call, and again by the first call after its end. */
export interface WorkerClient<Api extends Cancellable> {
  readonly name: string;
  call<T>(call: WorkerCall<Api, T>, options?: CallOptions): Promise<T>;
  /** Terminates the worker; calls in flight and later ones reject. */
  dispose(): void;
}

/** The part of `Worker` that the client uses. */
export type SpawnedWorker = Pick<
  Worker,
  'postMessage' | 'addEventListener' | 'removeEventListener' | 'terminate'
>;

interface Live<Api> {
  readonly worker: SpawnedWorker;
  readonly api: RemoteApi<Api>;
  /** Rejects of the calls in flight. */
  readonly inFlight: Set<(error: Error) => void>;
}

export function abortError(message: string): DOMException {
  return new DOMException(message, 'AbortError');
}

export function isAbortError(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** The worker had to be replaced; worth telling also where the call itself was given up. */
export function mentionsRestart(error: unknown): error is Error {
  return error instanceof Error && error.message.endsWith(RESTARTED);
}

const RESTARTED = 'and was restarted';

/**
 * A client of one worker behind Comlink. A crash (an `error` or `messageerror` event) rejects the
 * calls in flight with `the NAME worker stopped (MESSAGE) and was restarted`; a cancel that is not
 * answered in time terminates the worker. Either way the next call finds a fresh one.
 */
export function createWorkerClient<Api extends Cancellable>(
  spawn: () => SpawnedWorker,
  name: string,
): WorkerClient<Api> {
  let live: Live<Api> | undefined;
  let lastJobId = 0;
  let isDisposed = false;

  function stop(stopped: Live<Api>, error: Error): void {
    if (live === stopped) live = undefined;
    stopped.worker.terminate();
    for (const reject of [...stopped.inFlight]) reject(error);
  }

  function start(): Live<Api> {
    if (isDisposed) throw new Error(`the ${name} worker was disposed of`);
    if (live !== undefined) return live;
    const worker = spawn();
    const started: Live<Api> = {
      worker,
      api: wrap(worker as Worker) as unknown as RemoteApi<Api>,
      inFlight: new Set(),
    };
    const crashed = (why: string) =>
      stop(started, new Error(`the ${name} worker stopped (${why}) ${RESTARTED}`));
    worker.addEventListener('error', (event) => {
      crashed((event as ErrorEvent).message || 'it could not be loaded');
    });
    worker.addEventListener('messageerror', () => crashed('an unreadable message'));
    live = started;
    return started;
  }

  function call<T>(run: WorkerCall<Api, T>, options: CallOptions = {}): Promise<T> {
    const { signal, onProgress } = options;
    return new Promise<T>((resolve, reject) => {
      if (signal?.aborted) {
        reject(abortError('cancelled'));
        return;
      }
      const current = start();
      const jobId = ++lastJobId;
      let isSettled = false;
      let timer: ReturnType<typeof setTimeout> | undefined;

      const settle = (finish: () => void) => {
        if (isSettled) return;
        isSettled = true;
        clearTimeout(timer);
        signal?.removeEventListener('abort', cancel);
        current.inFlight.delete(fail);
        finish();
      };
      const fail = (error: Error) =>
        settle(() =>
          reject(
            signal?.aborted && !isAbortError(error)
              ? abortError(`cancelled; ${error.message}`)
              : error,
          ),
        );
      const cancel = () => {
        current.api.cancel(jobId).catch(() => undefined);
        timer = setTimeout(() => {
          fail(abortError(`cancelled; the ${name} worker did not answer ${RESTARTED}`));
          stop(
            current,
            new Error(`the ${name} worker stopped (no answer to a cancel) ${RESTARTED}`),
          );
        }, CANCEL_ANSWER_MILLISECONDS);
      };

      current.inFlight.add(fail);
      signal?.addEventListener('abort', cancel);
      const report = (progress: Parameters<OnProgress>[0]) => {
        if (!isSettled && !signal?.aborted) onProgress?.(progress);
      };
      run(current.api, jobId, proxy(report)).then(
        (value) =>
          settle(() => (signal?.aborted ? reject(abortError('cancelled')) : resolve(value))),
        (error: unknown) => fail(error instanceof Error ? error : new Error(String(error))),
      );
    });
  }

  return {
    name,
    call,
    dispose() {
      isDisposed = true;
      if (live !== undefined) stop(live, abortError(`the ${name} worker was disposed of`));
    },
  };
}
