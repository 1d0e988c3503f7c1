import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LIVE_DEBOUNCE_MILLISECONDS } from '../../../lib/run/live-reruns';
import { createFakeSession, settle, withParams } from './fakes';
import { drain, heavy, NOTEBOOK, stateOf } from './session-fakes';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));

afterEach(() => void vi.useRealTimers());

describe('edits', () => {
  async function ran() {
    const fakes = createFakeSession(NOTEBOOK);
    void fakes.session.runAll();
    await drain(fakes);
    return fakes;
  }

  test('turn the cell and its descendants stale, keep the old result, and undo at once', async () => {
    const { session } = await ran();
    const before = session.statuses();
    session.setNotebook(withParams(NOTEBOOK, 'load', heavy));
    const now = session.statuses();
    expect(now.get('load')).toMatchObject({ state: 'stale', isResultStale: true });
    expect(now.get('serve')).toMatchObject({ state: 'stale', isResultStale: true });
    expect(now.get('lanes')).toMatchObject({ state: 'stale', isResultStale: true });
    expect(now.get('all')).toMatchObject({ state: 'stale', isResultStale: true });
    expect(now.get('serve')!.result).toBe(before.get('serve')!.result);
    expect(now.get('attn')).toBe(before.get('attn'));
    expect(now.get('map')).toBe(before.get('map'));
    session.setNotebook(NOTEBOOK);
    expect(session.statuses().get('serve')).toMatchObject({ state: 'done', isResultStale: false });
    expect(session.statuses().get('load')!.result).toBe(before.get('load')!.result);
  });

  test('of the title or of a view leave results alone', async () => {
    const { session } = await ran();
    session.setNotebook(withParams({ ...NOTEBOOK, title: 'x' }, 'map', { head: 3 }));
    expect(stateOf(session, 'map')).toBe('done');
    expect(stateOf(session, 'serve')).toBe('done');
    expect(session.notebook.title).toBe('x');
  });

  test('of a cheap cell rerun it and its cheap dependents once params rest', async () => {
    const fakes = await ran();
    const { session, simulation } = fakes;
    for (const seed of [7, 8, 9]) {
      session.setNotebook(withParams(NOTEBOOK, 'load', { seed }));
      vi.advanceTimersByTime(LIVE_DEBOUNCE_MILLISECONDS - 1);
      await settle();
    }
    expect(simulation.calls).toHaveLength(2);
    vi.advanceTimersByTime(1);
    await drain(fakes);
    expect(simulation.calls.slice(2).map((call) => call.method)).toEqual(['workload', 'serve']);
    expect(simulation.calls[2]!.args[1]).toMatchObject({ seed: 9 });
    expect(stateOf(session, 'lanes')).toBe('done');
  });

  test('of a heavy cell wait for Run', async () => {
    const fakes = await ran();
    fakes.session.setNotebook(withParams(NOTEBOOK, 'load', heavy));
    fakes.session.setNotebook(withParams(fakes.session.notebook, 'attn', { seed: 9 }));
    vi.advanceTimersByTime(10_000);
    await settle();
    expect([...fakes.kernel.pending(), ...fakes.simulation.pending()]).toEqual([]);
    expect(stateOf(fakes.session, 'attn')).toBe('stale');
    expect(stateOf(fakes.session, 'serve')).toBe('stale');
  });

  test('a cheap stale dependent follows when its heavy input has run', async () => {
    const fakes = await ran();
    fakes.session.setNotebook(withParams(NOTEBOOK, 'load', heavy));
    void fakes.session.run('load');
    await drain(fakes);
    expect(stateOf(fakes.session, 'serve')).toBe('stale');
    vi.advanceTimersByTime(LIVE_DEBOUNCE_MILLISECONDS);
    await drain(fakes);
    expect(stateOf(fakes.session, 'serve')).toBe('done');
  });

  test('that stop a running cell resolve its run', async () => {
    const fakes = await ran();
    const done = fakes.session.run('attn');
    await settle();
    fakes.session.setNotebook(withParams(NOTEBOOK, 'attn', { seed: 77 }));
    await done;
    await settle();
    expect(stateOf(fakes.session, 'attn')).toBe('stale');
  });

  test('that remove a cell end its job; a renamed cell keeps its result', async () => {
    const fakes = await ran();
    const { session } = fakes;
    const done = session.run('attn');
    await settle();
    session.setNotebook({
      ...NOTEBOOK,
      cells: NOTEBOOK.cells
        .filter((cell) => !['map', 'all'].includes(cell.id))
        .map((cell) => (cell.id === 'attn' ? { ...cell, id: 'renamed' } : cell)),
    });
    await done;
    await settle();
    expect(fakes.kernel.pending()).toEqual([]);
    expect(session.statuses().has('attn')).toBe(false);
    expect(stateOf(session, 'renamed')).toBe('done');
  });

  test('results above the cache bound are not kept for undo', async () => {
    const fakes = createFakeSession(NOTEBOOK, { cacheBytes: 10 });
    void fakes.session.run('load');
    await drain(fakes);
    expect(stateOf(fakes.session, 'load')).toBe('done');
    fakes.session.setNotebook(withParams(NOTEBOOK, 'load', heavy));
    fakes.session.setNotebook(NOTEBOOK);
    // The shown result itself still fits, whatever the cache kept.
    expect(stateOf(fakes.session, 'load')).toBe('done');
    void fakes.session.run('load');
    await drain(fakes);
    fakes.session.setNotebook(withParams(NOTEBOOK, 'load', heavy));
    void fakes.session.run('load');
    await drain(fakes);
    fakes.session.setNotebook(NOTEBOOK);
    expect(stateOf(fakes.session, 'load')).toBe('stale');
  });
});
