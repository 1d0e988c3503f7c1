import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LIVE_DEBOUNCE_MILLISECONDS } from '../../../lib/run/live-reruns';
import type { Session } from '../../../lib/run/session-types';
import { createFakeSession, makeNotebook, settle, withParams } from './fakes';

const NOTEBOOK = makeNotebook([
  { id: 'intro', kind: 'text' },
  { id: 'load', kind: 'workload' },
  { id: 'serve', kind: 'serve', inputs: ['load'] },
  { id: 'attn', kind: 'attention' },
  { id: 'lanes', kind: 'timeline', inputs: ['serve'] },
  { id: 'map', kind: 'map', inputs: ['attn'] },
  { id: 'all', kind: 'table', inputs: ['serve', 'attn', 'load'] },
]);

const heavy = {
  source: {
    ...(NOTEBOOK.cells[1]!.params as never as { source: object }).source,
    requests: 2_000_000,
  },
};

function stateOf(session: Session, id: string) {
  return session.statuses().get(id)!.state;
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** Answers calls in order until the workers have nothing to do. */
async function drain(fakes: ReturnType<typeof createFakeSession>): Promise<void> {
  for (;;) {
    await settle();
    const calls = [...fakes.kernel.pending(), ...fakes.simulation.pending()];
    if (calls.length === 0) return;
    for (const call of calls) call.reply();
  }
}

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

describe('files', () => {
  const source = { type: 'azure-csv', fileName: 'trace.csv' };
  const notebook = makeNotebook([
    { id: 'load', kind: 'workload', params: { source } },
    { id: 'serve', kind: 'serve', inputs: ['load'] },
    { id: 'rule', kind: 'recurrent' },
  ]);

  test('missing ones fail the cell with their name', async () => {
    const { session, simulation } = createFakeSession(notebook);
    await session.run('serve');
    expect(session.statuses().get('load')!.message).toBe(
      'needs the file "trace.csv": choose it for this cell (files never travel in a link)',
    );
    expect(session.statuses().get('serve')!.state).toBe('failed');
    expect(simulation.calls).toEqual([]);
  });

  test('binding one runs it at once, however large, and a changed one again', async () => {
    const fakes = createFakeSession(notebook);
    const { session, simulation } = fakes;
    const file = new File(['a,b\n1,2\n'], 'trace.csv', { lastModified: 1 });
    session.bindFile('load', file);
    expect(session.boundFile('load')).toBe(file);
    await drain(fakes);
    expect(simulation.calls[0]!.args[2]).toBe(file);
    expect(stateOf(session, 'load')).toBe('done');
    // Too large to be run again by itself after every edit.
    const large = new File([new Uint8Array(2e7)], 'trace.csv', { lastModified: 2 });
    session.bindFile('load', large);
    expect(stateOf(session, 'load')).toBe('queued');
    expect(stateOf(session, 'serve')).toBe('stale');
    session.bindFile('load', file);
    expect(stateOf(session, 'load')).toBe('done');
  });

  test('are refused for unknown cells and for kinds that read none', () => {
    const { session } = createFakeSession(notebook);
    const file = new File([], 'x');
    expect(() => session.bindFile('nope', file)).toThrow('unknown cell: "nope"');
    expect(() => session.bindFile('rule', file)).toThrow(
      'cell "rule" is of kind recurrent and reads no file',
    );
    expect(session.boundFile('rule')).toBeUndefined();
  });
});

describe('recorded results', () => {
  async function recording() {
    const fakes = createFakeSession(NOTEBOOK);
    void fakes.session.runAll();
    await drain(fakes);
    return new Map(
      ['load', 'serve', 'attn'].map((id) => [id, fakes.session.statuses().get(id)!.result!]),
    );
  }

  test('show where they fit, marked, and Run all still computes them', async () => {
    const fakes = createFakeSession(withParams(NOTEBOOK, 'attn', { seed: 4 }));
    fakes.session.loadRecorded(await recording());
    await settle();
    expect(stateOf(fakes.session, 'serve')).toBe('done');
    expect(fakes.session.statuses().get('serve')!.result!.provenance.recorded).toBe(true);
    expect(stateOf(fakes.session, 'attn')).toBe('idle');
    expect(fakes.simulation.calls).toEqual([]);
    fakes.session.setNotebook(NOTEBOOK);
    await settle();
    expect(stateOf(fakes.session, 'attn')).toBe('done');
    void fakes.session.runAll();
    await drain(fakes);
    expect(fakes.session.statuses().get('serve')!.result!.provenance.recorded).toBe(false);
  });

  test('of another kind version are not used', async () => {
    const fakes = createFakeSession(NOTEBOOK);
    const old = [...(await recording())].map(
      ([id, result]) =>
        [id, { ...result, provenance: { ...result.provenance, kindVersion: 0 } }] as const,
    );
    fakes.session.loadRecorded(new Map(old));
    await settle();
    expect(stateOf(fakes.session, 'load')).toBe('idle');
  });
});

describe('map source', () => {
  test('needs a result, then serves bases from memory and drops overtaken calls', async () => {
    const fakes = createFakeSession(NOTEBOOK);
    const { session, kernel } = fakes;
    const source = session.mapSource('attn');
    await expect(source.base(0, 0)).rejects.toThrow('cell "attn" has no attention result yet');
    void session.run('attn');
    await drain(fakes);
    const first = source.base(0, 1);
    const overtaken = expect(first).rejects.toMatchObject({ name: 'AbortError' });
    const second = source.base(0, 2);
    await settle();
    await overtaken;
    kernel.pending()[0]!.reply();
    expect(await second).toMatchObject({ columns: 2 });
    const calls = kernel.calls.length;
    expect(await source.base(0, 2)).toBe(await second);
    expect(kernel.calls).toHaveLength(calls);

    const running = source.window(0, 0, { queryStart: 0, queryEnd: 1, keyStart: 0, keyEnd: 1 });
    const stopped = expect(running).rejects.toMatchObject({ name: 'AbortError' });
    await settle();
    const latest = source.window(0, 5, { queryStart: 0, queryEnd: 1, keyStart: 0, keyEnd: 1 });
    await stopped;
    await settle();
    kernel.pending()[0]!.reply();
    expect(await latest).toMatchObject({ keyStart: 5 });
  });

  test('asks for mass without the selection, but for the blocks of the kernel that ran', async () => {
    const select = { type: 'vertical-slash' };
    const notebook = makeNotebook([{ id: 'a', kind: 'attention', params: { select } }]);
    const fakes = createFakeSession(notebook);
    void fakes.session.run('a');
    await drain(fakes);
    const source = fakes.session.mapSource('a').lane('m', { isUnselected: true });
    void source.base(0, 0);
    void source.lane('heads', { isBackground: true }).base(0, 1);
    void source.blocks(0, 1);
    await drain(fakes);
    const calls = fakes.kernel.calls.filter(({ method }) => method.startsWith('map'));
    const selected = calls.map(({ method, args }) => [
      method,
      (args[1] as { params: { select: { type: string } } }).params.select.type,
    ]);
    expect(selected.sort()).toEqual([
      ['mapBase', 'none'],
      ['mapBase', 'none'],
      ['mapBlocks', 'vertical-slash'],
    ]);
    const blocks = calls.find(({ method }) => method === 'mapBlocks');
    expect(blocks?.args.slice(2)).toEqual([
      0,
      1,
      { blockQueries: 32, blockKeys: 16, engine: 'webgpu' },
    ]);
  });

  test('waits for a running measurement and goes before pending ones', async () => {
    const notebook = makeNotebook([
      { id: 'a', kind: 'attention' },
      { id: 'b', kind: 'attention', params: { seed: 2 } },
      { id: 'c', kind: 'attention', params: { seed: 3 } },
    ]);
    const fakes = createFakeSession(notebook);
    void fakes.session.run('a');
    await drain(fakes);
    void fakes.session.run('b');
    void fakes.session.run('c');
    await settle();
    const base = fakes.session.mapSource('a').base(0, 0);
    await settle();
    expect(fakes.kernel.pending().map((call) => call.method)).toEqual(['run']);
    fakes.kernel.pending()[0]!.reply();
    await settle();
    expect(fakes.kernel.pending().map((call) => call.method)).toEqual(['mapBase']);
    await drain(fakes);
    await base;
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
