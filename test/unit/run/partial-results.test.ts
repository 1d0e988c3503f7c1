import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { CellOutput } from '../../../lib/run/types';
import { createFakeSession, makeNotebook, settle, withParams } from './fakes';

const NOTEBOOK = makeNotebook([{ id: 'c', kind: 'cache' }]);
const partial = { kind: 'cache', value: { runs: [] } } as unknown as CellOutput;

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** A session whose only cell runs and has told a part of its result. */
async function halfway(notebook = NOTEBOOK) {
  const fakes = createFakeSession(notebook);
  const run = async () => {
    void fakes.session.run('c');
    await settle();
    fakes.model.pending()[0]!.options.onProgress?.({ fraction: 0.5, phase: 'half', partial });
  };
  await run();
  const status = () => fakes.session.statuses().get('c')!;
  return { ...fakes, run, status };
}

test('a part stays while later progress carries none, and gives way to the whole', async () => {
  const { model, status } = await halfway();
  expect(status()).toMatchObject({ state: 'running', partial });
  model.pending()[0]!.options.onProgress?.({ fraction: 0.6, phase: 'on' });
  expect(status().partial).toBe(partial);
  model.pending()[0]!.reply();
  await settle();
  expect(status().state).toBe('done');
  expect(status().partial).toBeUndefined();
});

test('cancel keeps what was done, at once, until the next run or edit', async () => {
  const { session, run, status } = await halfway();
  session.cancel('c');
  // No turn of the event loop later: the worker need not have heard of it.
  expect(status()).toMatchObject({ state: 'cancelled', partial, result: undefined });
  await settle();
  expect(status().partial).toBe(partial);
  void session.run('c');
  await settle();
  expect(status()).toMatchObject({ state: 'running', partial: undefined });
  session.cancel('c');
  await run();
  session.cancel('c');
  session.setNotebook(withParams(NOTEBOOK, 'c', { samples: 3 }));
  expect(status().partial).toBeUndefined();
});

test('a run that fails keeps its part', async () => {
  const { model, status } = await halfway();
  model.pending()[0]!.fail(new Error('out of memory'));
  await settle();
  expect(status()).toMatchObject({ state: 'failed', partial });
});

test('a whole result of the same content is not replaced by a part', async () => {
  const { session, model, run, status } = await halfway();
  model.pending()[0]!.reply();
  await settle();
  await run();
  expect(status().partial).toBe(partial);
  session.cancel('c');
  await settle();
  expect(status()).toMatchObject({ state: 'cancelled', partial: undefined });
  expect(status().result).toBeDefined();
});
