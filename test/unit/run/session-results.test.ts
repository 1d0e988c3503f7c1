import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createFakeSession, makeNotebook, settle, withParams } from './fakes';
import { drain, NOTEBOOK, stateOf } from './session-fakes';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));

afterEach(() => void vi.useRealTimers());

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
