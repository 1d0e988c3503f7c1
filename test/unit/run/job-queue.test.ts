import { expect, test, vi } from 'vitest';
import { createJobQueue } from '../../../lib/run/job-queue';
import { settle } from './fakes';

function makeJobs() {
  const log: string[] = [];
  const ends = new Map<string, () => void>();
  const job = (key: string, label = key) => ({
    key,
    run: (signal: AbortSignal) => {
      log.push(`start ${label}`);
      signal.addEventListener('abort', () => log.push(`abort ${label}`));
      return new Promise<void>((resolve) => {
        ends.set(label, () => {
          log.push(`end ${label}`);
          resolve();
        });
      });
    },
    onDropped: () => log.push(`drop ${label}`),
  });
  return { log, ends, job };
}

test('runs one job at a time, in order; the next starts when the last has ended', async () => {
  const { log, ends, job } = makeJobs();
  const queue = createJobQueue();
  for (const key of ['a', 'b', 'c']) queue.put(job(key));
  expect(log).toEqual([]);
  await settle();
  expect(log).toEqual(['start a']);
  expect(queue.size()).toBe(3);
  for (const key of ['a', 'b', 'c']) {
    ends.get(key)!();
    await settle();
  }
  expect(log).toEqual(['start a', 'end a', 'start b', 'end b', 'start c', 'end c']);
  expect(queue.size()).toBe(0);
});

test('a newer job takes the place of the pending one and aborts the running one', async () => {
  const { log, ends, job } = makeJobs();
  const queue = createJobQueue();
  queue.put(job('a', 'a1'));
  queue.put(job('b', 'b1'));
  queue.put(job('c'));
  await settle();
  queue.put(job('b', 'b2'));
  queue.put(job('a', 'a2'));
  await settle();
  expect(log).toEqual(['start a1', 'drop b1', 'abort a1']);
  for (const label of ['a1', 'b2', 'c', 'a2']) {
    ends.get(label)!();
    await settle();
  }
  expect(log.filter((line) => line.startsWith('start'))).toEqual([
    'start a1',
    'start b2',
    'start c',
    'start a2',
  ]);
});

test('first goes before the pending ones, not beside the running one', async () => {
  const { log, ends, job } = makeJobs();
  const queue = createJobQueue();
  queue.put(job('a'));
  await settle();
  queue.put(job('b'));
  queue.put(job('now'), { first: true });
  ends.get('a')!();
  await settle();
  expect(log).toEqual(['start a', 'end a', 'start now']);
});

test('drop and clear abort what runs and tell what waits', async () => {
  const { log, job } = makeJobs();
  const queue = createJobQueue();
  queue.put(job('a'));
  await settle();
  queue.put(job('b'));
  queue.put(job('c'));
  queue.drop('b');
  queue.drop('nobody');
  queue.clear();
  expect(log).toEqual(['start a', 'drop b', 'abort a', 'drop c']);
  expect(queue.size()).toBe(1);
});

test('a job that is dropped before its turn never starts', async () => {
  const run = vi.fn(async () => undefined);
  const queue = createJobQueue();
  queue.put({ key: 'a', run });
  queue.drop('a');
  await settle();
  expect(run).not.toHaveBeenCalled();
});
