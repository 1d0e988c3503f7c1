import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createFakeSession, makeNotebook, settle } from './fakes';
import { drain, NOTEBOOK, stateOf } from './session-fakes';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));

afterEach(() => void vi.useRealTimers());

describe('failure', () => {
  test('of an ancestor fails the dependents that wait for it, with its message', async () => {
    const fakes = createFakeSession(NOTEBOOK);
    const { session, simulation } = fakes;
    const done = session.run('serve');
    await settle();
    simulation.pending()[0]!.fail(new Error('invalid row 3'));
    await done;
    expect(session.statuses().get('load')).toMatchObject({
      state: 'failed',
      message: 'invalid row 3',
    });
    expect(session.statuses().get('serve')).toMatchObject({
      state: 'failed',
      message: 'input "load" failed: invalid row 3',
    });
    expect(session.statuses().get('lanes')).toMatchObject({
      state: 'failed',
      message: 'input "serve" failed: input "load" failed: invalid row 3',
    });
    expect(stateOf(session, 'attn')).toBe('idle');

    const again = session.run('serve');
    await drain(fakes);
    await again;
    expect(stateOf(session, 'serve')).toBe('done');
  });

  test('a crash fails the running cell only', async () => {
    const fakes = createFakeSession(NOTEBOOK);
    const { session, kernel } = fakes;
    void session.runAll();
    await settle();
    kernel.pending()[0]!.fail(new Error('the kernel worker stopped (lost) and was restarted'));
    await drain(fakes);
    expect(session.statuses().get('attn')).toMatchObject({
      state: 'failed',
      message: 'the kernel worker stopped (lost) and was restarted',
    });
    expect(stateOf(session, 'serve')).toBe('done');
    void session.run('attn');
    await drain(fakes);
    expect(stateOf(session, 'attn')).toBe('done');
  });

  test('a dependent whose input is no job says so', async () => {
    const fakes = createFakeSession(
      makeNotebook([
        { id: 'intro', kind: 'text' },
        { id: 'serve', kind: 'serve', inputs: ['intro'] },
        { id: 'lone', kind: 'serve' },
        { id: 'wrong', kind: 'serve', inputs: ['lone'] },
        { id: 'ring', kind: 'serve', inputs: ['ring'] },
      ]),
    );
    await fakes.session.runAll();
    const messages = [...fakes.session.statuses().values()].map((status) => status.message);
    expect(messages).toEqual([
      undefined,
      'input "intro" is not a cell that gives results',
      '0 inputs (expected 1 of kind workload)',
      'input "lone" is of kind serve (expected workload)',
      'input "ring" is of kind serve (expected workload)',
    ]);
  });
});

describe('cancel', () => {
  test('shows at once, keeps the worker busy until it answers, and drops a late result', async () => {
    const fakes = createFakeSession(NOTEBOOK);
    const { session, kernel } = fakes;
    kernel.onAbort = 'wait';
    const done = session.run('attn');
    await settle();
    session.cancel('attn');
    expect(stateOf(session, 'attn')).toBe('cancelled');
    await done;
    void session.run('attn');
    await settle();
    expect(kernel.calls).toHaveLength(1);
    kernel.calls[0]!.reply();
    await settle();
    expect(stateOf(session, 'attn')).toBe('running');
    expect(session.statuses().get('attn')!.result).toBeUndefined();
    expect(kernel.calls).toHaveLength(2);
  });

  test('says when the worker had to be restarted', async () => {
    const fakes = createFakeSession(NOTEBOOK);
    const { session, kernel } = fakes;
    kernel.onAbort = 'wait';
    void session.run('attn');
    await settle();
    session.cancel('attn');
    kernel.calls[0]!.fail(
      new DOMException(
        'cancelled; the kernel worker did not answer and was restarted',
        'AbortError',
      ),
    );
    await settle();
    expect(session.statuses().get('attn')).toMatchObject({
      state: 'cancelled',
      message: 'cancelled; the kernel worker did not answer and was restarted',
    });
  });

  test('of an ancestor cancels what waits for it', async () => {
    const fakes = createFakeSession(NOTEBOOK);
    const { session } = fakes;
    const done = session.run('serve');
    await settle();
    session.cancel('load');
    await done;
    expect([stateOf(session, 'load'), stateOf(session, 'serve')]).toEqual([
      'cancelled',
      'cancelled',
    ]);
  });

  test('of a view cancels what it waits for; of a settled cell does nothing', async () => {
    const fakes = createFakeSession(NOTEBOOK);
    const { session } = fakes;
    void session.run('lanes');
    await settle();
    session.cancel('lanes');
    expect(stateOf(session, 'lanes')).toBe('cancelled');
    session.cancel('attn');
    expect(stateOf(session, 'attn')).toBe('idle');
  });

  test('all leaves both queues empty', async () => {
    const fakes = createFakeSession(NOTEBOOK);
    void fakes.session.runAll();
    await settle();
    fakes.session.cancelAll();
    await settle();
    expect([...fakes.kernel.pending(), ...fakes.simulation.pending()]).toEqual([]);
    expect(stateOf(fakes.session, 'serve')).toBe('cancelled');
  });
});
