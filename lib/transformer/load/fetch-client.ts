import { type FetchRange, type PlainReply, replyOf, requestOf } from './fetch-range';

/** The part of `Worker` that the client uses. */
export type FetchWorker = Pick<Worker, 'postMessage' | 'addEventListener'>;

type Answer = { readonly id: number } & (
  | PlainReply
  | { readonly error: { readonly name: string; readonly message: string } }
);

interface Waiting {
  readonly resolve: (reply: PlainReply) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Reads ranges through the worker `model-fetch.js`, which is spawned by the first request and lives
 * on: it holds nothing between requests.
 */
export function createFetchClient(spawn: () => FetchWorker): FetchRange {
  let worker: FetchWorker | undefined;
  let lastId = 0;
  const waiting = new Map<number, Waiting>();

  function start(): FetchWorker {
    const started = spawn();
    started.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
      const call = waiting.get(data.id);
      waiting.delete(data.id);
      if ('error' in data) call?.reject(namedError(data.error));
      else call?.resolve(data);
    });
    started.addEventListener('error', (event) => {
      worker = undefined;
      for (const { reject } of waiting.values()) {
        reject(new Error(`the worker that reads addresses stopped (${event.message})`));
      }
      waiting.clear();
    });
    return started;
  }

  return async (url, range, signal) => {
    signal?.throwIfAborted();
    worker ??= start();
    const target = worker;
    const id = ++lastId;
    const cancel = () => target.postMessage({ id, cancel: true });
    const reply = new Promise<PlainReply>((resolve, reject) =>
      waiting.set(id, { resolve, reject }),
    );
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      target.postMessage({ id, ...requestOf(url, range) });
      return replyOf(await reply);
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  };
}

function namedError({ name, message }: { readonly name: string; readonly message: string }): Error {
  return name === 'AbortError' ? new DOMException(message, name) : new TypeError(message);
}
