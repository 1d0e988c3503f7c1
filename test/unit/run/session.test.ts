import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createFakeSession, settle, withParams } from './fakes';
import { drain, heavy, NOTEBOOK, stateOf } from './session-fakes';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));

afterEach(() => void vi.useRealTimers());

describe('opening', () => {
  test('runs nothing, also after the debounce', async () => {
    const { session, kernel, simulation } = createFakeSession(NOTEBOOK);
    await settle();
    vi.advanceTimersByTime(10_000);
    await settle();
    expect([...kernel.calls, ...simulation.calls]).toEqual([]);
    expect([...session.statuses()].map(([id, status]) => [id, status.state])).toEqual([
      ['intro', 'done'],
      ['load', 'idle'],
      ['serve', 'idle'],
      ['attn', 'idle'],
      ['lanes', 'idle'],
      ['map', 'idle'],
      ['all', 'idle'],
    ]);
  });

  test('estimates workload, serve and attention before anything ran', () => {
    const { session } = createFakeSession(NOTEBOOK);
    const estimate = (id: string) => session.statuses().get(id)!.estimateSeconds;
    expect(estimate('load')).toBeLessThan(0.2);
    expect(estimate('serve')).toBeGreaterThan(estimate('load')!);
    expect(estimate('attn')).toBeGreaterThan(1);
    expect(estimate('lanes')).toBeUndefined();
  });
});

describe('run', () => {
  test('runs stale ancestors first and hands their result on', async () => {
    const fakes = createFakeSession(NOTEBOOK);
    const { session, simulation } = fakes;
    const done = session.run('serve');
    expect([stateOf(session, 'load'), stateOf(session, 'serve')]).toEqual(['queued', 'queued']);
    await settle();
    expect(simulation.pending().map((call) => call.method)).toEqual(['workload']);
    expect([stateOf(session, 'load'), stateOf(session, 'serve')]).toEqual(['running', 'queued']);
    simulation.pending()[0]!.reply();
    await settle();
    expect(simulation.pending().map((call) => call.method)).toEqual(['serve']);
    expect(stateOf(session, 'lanes')).toBe('running');
    simulation.pending()[0]!.reply();
    await done;
    expect(stateOf(session, 'serve')).toBe('done');
    expect(stateOf(session, 'lanes')).toBe('done');
    expect(stateOf(session, 'all')).toBe('idle');
    expect(session.statuses().get('serve')!.result!.provenance).toMatchObject({
      appVersion: '9.9.9',
      kindVersion: 1,
      recorded: false,
      simulated: true,
      engine: 'simulator',
      seed: 1,
      costModel: 'a fake roofline',
      specHash: expect.stringMatching(/^hash of .*hash of /),
    });
  });

  test('leaves done ancestors alone and runs the cell itself again', async () => {
    const fakes = createFakeSession(NOTEBOOK);
    void fakes.session.run('serve');
    await drain(fakes);
    void fakes.session.run('serve');
    expect(fakes.session.statuses().get('serve')).toMatchObject({
      state: 'queued',
      isResultStale: false,
    });
    await drain(fakes);
    expect(fakes.simulation.calls.map((call) => call.method)).toEqual([
      'workload',
      'serve',
      'serve',
    ]);
  });

  test('of a view runs what it shows', async () => {
    const fakes = createFakeSession(NOTEBOOK);
    void fakes.session.run('all');
    await drain(fakes);
    expect(stateOf(fakes.session, 'all')).toBe('done');
    expect(stateOf(fakes.session, 'map')).toBe('done');
  });

  test('of an unknown cell resolves', async () => {
    const { session } = createFakeSession(NOTEBOOK);
    await expect(session.run('nowhere')).resolves.toBeUndefined();
  });

  test('again while running restarts with the newest params', async () => {
    const fakes = createFakeSession(NOTEBOOK);
    const { session, kernel } = fakes;
    const first = session.run('attn');
    await settle();
    session.setNotebook(withParams(NOTEBOOK, 'attn', { seed: 5 }));
    const second = session.run('attn');
    await drain(fakes);
    await Promise.all([first, second]);
    expect(kernel.calls).toHaveLength(2);
    expect(kernel.calls[0]!.options.signal!.aborted).toBe(true);
    expect(kernel.calls[1]!.args[1]).toMatchObject({ params: { seed: 5 } });
    expect(session.statuses().get('attn')!.result!.output.value).toMatchObject({
      params: { seed: 5 },
    });
  });

  test('again of the same content stops the run before', async () => {
    const fakes = createFakeSession(NOTEBOOK);
    void fakes.session.run('attn');
    await settle();
    const second = fakes.session.run('attn');
    await settle();
    expect(fakes.kernel.calls[0]!.options.signal!.aborted).toBe(true);
    await drain(fakes);
    await second;
    expect(stateOf(fakes.session, 'attn')).toBe('done');
  });

  test('queued cells run with what the document says when their turn comes', async () => {
    const fakes = createFakeSession(NOTEBOOK);
    const { session, simulation } = fakes;
    const done = session.run('serve');
    await settle();
    session.setNotebook(withParams(NOTEBOOK, 'serve', { tensorParallel: 4 }));
    expect(stateOf(session, 'serve')).toBe('queued');
    await drain(fakes);
    await done;
    expect(simulation.calls.at(-1)!.args[1]).toMatchObject({ tensorParallel: 4 });
  });

  test('an input edited while the dependent waits runs again first', async () => {
    const notebook = withParams(NOTEBOOK, 'load', heavy);
    const fakes = createFakeSession(notebook);
    const { session, simulation } = fakes;
    const done = session.run('serve');
    await settle();
    session.setNotebook(withParams(notebook, 'load', { seed: 3 }));
    expect(stateOf(session, 'load')).toBe('stale');
    expect(stateOf(session, 'serve')).toBe('queued');
    await drain(fakes);
    await done;
    expect(simulation.calls.map((call) => call.method)).toEqual(['workload', 'workload', 'serve']);
    expect((simulation.calls.at(-1)!.args[2] as { seed: number }).seed).toBe(3);
  });

  test('the two workers run side by side, each one job at a time', async () => {
    const fakes = createFakeSession(NOTEBOOK);
    void fakes.session.runAll();
    await settle();
    expect(fakes.kernel.pending()).toHaveLength(1);
    expect(fakes.simulation.pending()).toHaveLength(1);
    await drain(fakes);
    expect([...fakes.session.statuses().values()].map((status) => status.state)).toEqual(
      Array(7).fill('done'),
    );
    await fakes.session.runAll();
    expect(fakes.simulation.calls).toHaveLength(2);
  });
});

test('dispose stops everything and tells nobody', async () => {
  const fakes = createFakeSession(NOTEBOOK);
  const done = fakes.session.runAll();
  await settle();
  const heard = vi.fn();
  fakes.session.subscribe(heard);
  fakes.session.dispose();
  heard.mockClear();
  await done;
  await drain(fakes);
  expect(heard).not.toHaveBeenCalled();
  expect([fakes.kernel.isDisposed, fakes.simulation.isDisposed]).toEqual([true, true]);
  await fakes.session.run('load');
  expect(fakes.simulation.calls).toHaveLength(1);
});
