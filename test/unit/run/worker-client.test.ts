import { expose } from 'comlink';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Cancellable, OnProgress } from '../../../lib/run/worker-api';
import {
  CANCEL_ANSWER_MILLISECONDS,
  createWorkerClient,
  type SpawnedWorker,
} from '../../../lib/run/worker-client';

interface TestApi extends Cancellable {
  echo(jobId: number, value: string, onProgress: OnProgress): Promise<string>;
  hang(jobId: number): Promise<string>;
  boom(jobId: number): Promise<string>;
}

/** A worker over a real message channel: Comlink and structured clone as in the page. */
class PortWorker extends EventTarget {
  readonly #near: MessagePort;
  readonly #far: MessagePort;
  isTerminated = false;
  readonly cancelled: number[] = [];

  constructor(answersCancel: boolean) {
    super();
    const { port1, port2 } = new MessageChannel();
    this.#near = port1;
    this.#far = port2;
    const hanging = new Map<number, (error: Error) => void>();
    expose(
      {
        echo: async (_jobId: number, value: string, onProgress: OnProgress) => {
          await onProgress({ fraction: 0.5, phase: 'half' });
          return value.toUpperCase();
        },
        hang: (jobId: number) =>
          new Promise<string>((_resolve, reject) => hanging.set(jobId, reject)),
        boom: async () => {
          throw new RangeError('invalid tokens: 0 (expected 1..8)');
        },
        cancel: (jobId: number) => {
          this.cancelled.push(jobId);
          if (answersCancel) hanging.get(jobId)?.(new DOMException('stopped', 'AbortError'));
        },
      },
      port2,
    );
    port1.addEventListener('message', (event) => {
      if (!this.isTerminated) this.dispatchEvent(new MessageEvent('message', { data: event.data }));
    });
    port1.start();
    port2.start();
  }

  postMessage(message: unknown, transfer: readonly Transferable[] = []): void {
    if (!this.isTerminated) this.#near.postMessage(message, transfer as never);
  }

  terminate(): void {
    this.isTerminated = true;
    this.#near.close();
    this.#far.close();
  }

  crash(message: string): void {
    this.dispatchEvent(Object.assign(new Event('error'), { message }));
  }
}

const made: PortWorker[] = [];

function createClient(answersCancel = true) {
  const workers: PortWorker[] = [];
  const client = createWorkerClient<TestApi>(() => {
    const worker = new PortWorker(answersCancel);
    workers.push(worker);
    made.push(worker);
    return worker as unknown as SpawnedWorker;
  }, 'kernel');
  return { client, workers };
}

const hang = (api: { hang(jobId: number): Promise<string> }, jobId: number) => api.hang(jobId);
const echo =
  (value: string) =>
  (
    api: { echo(id: number, value: string, p: OnProgress): Promise<string> },
    id: number,
    p: OnProgress,
  ) =>
    api.echo(id, value, p);

/** Messages of a channel take some turns of the event loop. */
async function untilTrue(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !condition(); i++)
    await new Promise((resolve) => setImmediate(resolve));
  expect(condition()).toBe(true);
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => {
  vi.useRealTimers();
  for (const worker of made.splice(0)) worker.terminate();
});

describe('worker client', () => {
  test('spawns on the first call, then answers with progress', async () => {
    const { client, workers } = createClient();
    expect(workers).toHaveLength(0);
    const onProgress = vi.fn();
    await expect(client.call(echo('abc'), { onProgress })).resolves.toBe('ABC');
    await client.call(echo('again'));
    expect(workers).toHaveLength(1);
    expect(onProgress.mock.calls).toEqual([[{ fraction: 0.5, phase: 'half' }]]);
  });

  test('passes errors of the worker on with name and message', async () => {
    const { client } = createClient();
    await expect(client.call((api, jobId) => api.boom(jobId))).rejects.toMatchObject({
      name: 'RangeError',
      message: 'invalid tokens: 0 (expected 1..8)',
    });
  });

  test('an abort cancels by job id and rejects with an AbortError', async () => {
    const { client, workers } = createClient();
    const abort = new AbortController();
    const call = client.call(hang, { signal: abort.signal });
    abort.abort();
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    expect(workers[0]!.cancelled).toEqual([1]);
    expect(workers[0]!.isTerminated).toBe(false);
    vi.advanceTimersByTime(10 * CANCEL_ANSWER_MILLISECONDS);
    await expect(client.call(echo('still'))).resolves.toBe('STILL');
    expect(workers).toHaveLength(1);
  });

  test('an abort before the call starts nothing', async () => {
    const { client, workers } = createClient();
    await expect(client.call(hang, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(workers).toHaveLength(0);
  });

  test('a cancel without an answer ends the worker after 1.5 s, not before', async () => {
    const { client, workers } = createClient(false);
    const abort = new AbortController();
    const call = client.call(hang, { signal: abort.signal });
    const other = client.call(hang);
    const ends = Promise.all([
      expect(call).rejects.toMatchObject({
        name: 'AbortError',
        message: 'cancelled; the kernel worker did not answer and was restarted',
      }),
      expect(other).rejects.toThrow(
        'the kernel worker stopped (no answer to a cancel) and was restarted',
      ),
    ]);
    abort.abort();
    await untilTrue(() => workers[0]!.cancelled.length === 1);
    vi.advanceTimersByTime(CANCEL_ANSWER_MILLISECONDS - 1);
    expect(workers[0]!.isTerminated).toBe(false);
    vi.advanceTimersByTime(1);
    expect(workers[0]!.isTerminated).toBe(true);
    await ends;
    await expect(client.call(echo('fresh'))).resolves.toBe('FRESH');
    expect(workers).toHaveLength(2);
  });

  test('a crash rejects what is in flight; the next call finds a fresh worker', async () => {
    const { client, workers } = createClient();
    const call = client.call(hang);
    workers[0]!.crash('out of memory');
    await expect(call).rejects.toThrow(
      'the kernel worker stopped (out of memory) and was restarted',
    );
    await expect(client.call(echo('fresh'))).resolves.toBe('FRESH');
    expect(workers).toHaveLength(2);
    workers[1]!.dispatchEvent(new Event('messageerror'));
    expect(workers[1]!.isTerminated).toBe(true);
  });

  test('a worker that cannot be loaded says so', async () => {
    const { client, workers } = createClient();
    const call = client.call(hang);
    workers[0]!.dispatchEvent(new Event('error'));
    await expect(call).rejects.toThrow('the kernel worker stopped (it could not be loaded)');
  });

  test('a spawn that throws rejects the call', async () => {
    const client = createWorkerClient<TestApi>(() => {
      throw new Error('no workers here');
    }, 'kernel');
    await expect(client.call(hang)).rejects.toThrow('no workers here');
  });

  test('a crash of an aborted call is still an AbortError', async () => {
    const { client, workers } = createClient(false);
    const abort = new AbortController();
    const call = client.call(hang, { signal: abort.signal });
    abort.abort();
    workers[0]!.crash('lost');
    await expect(call).rejects.toMatchObject({
      name: 'AbortError',
      message: 'cancelled; the kernel worker stopped (lost) and was restarted',
    });
  });

  test('dispose ends the worker, the calls in flight and later ones', async () => {
    const { client, workers } = createClient();
    const call = client.call(hang);
    client.dispose();
    expect(workers[0]!.isTerminated).toBe(true);
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    await expect(client.call(hang)).rejects.toThrow('the kernel worker was disposed of');
  });
});
