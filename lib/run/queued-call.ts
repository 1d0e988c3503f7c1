import type { JobQueue } from './job-queue';
import type { Cancellable, OnProgress } from './worker-api';
import { abortError, type WorkerCall, type WorkerClient } from './worker-client';

export interface QueuedCallOptions {
  readonly onProgress?: OnProgress | undefined;
  /** After the pending jobs, not before them. */
  readonly isBackground?: boolean;
}

/**
 * A call of a worker that waits for its turn: never beside a running job, whose timing it
 * would disturb. A newer call of the same key makes the older reject with an `AbortError`.
 */
export function runQueued<Api extends Cancellable, T>(
  { queue, client }: { readonly queue: JobQueue; readonly client: WorkerClient<Api> },
  key: string,
  call: WorkerCall<Api, T>,
  { onProgress = () => undefined, isBackground = false }: QueuedCallOptions = {},
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    queue.put(
      {
        key,
        run: (signal) => client.call(call, { signal, onProgress }).then(resolve, reject),
        onDropped: () => reject(abortError('replaced by a newer call')),
      },
      { first: !isBackground },
    );
  });
}
