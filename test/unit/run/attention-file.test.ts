import { expect, test } from 'vitest';
import { missingFileMessage, neededFileName } from '../../../lib/run/job-kinds';
import { specHashes } from '../../../lib/run/spec-hash';
import type { AttentionCall } from '../../../lib/run/worker-api';
import { createFakeSession, makeNotebook, settle } from './fakes';

const inputs = { source: 'file', fileName: 'qkv.safetensors' };
const NOTEBOOK = makeNotebook([
  { id: 'attn', kind: 'attention', params: { inputs } },
  { id: 'map', kind: 'map', inputs: ['attn'] },
]);
const file = (lastModified: number) =>
  new File(['x'.repeat(9)], 'qkv.safetensors', { lastModified });

/** Runs the cell and answers its call. */
async function run({ session, kernel }: ReturnType<typeof createFakeSession>) {
  const done = session.run('attn');
  await settle();
  kernel.pending()[0]?.reply();
  await done;
}

test('a cell with file inputs waits for its file, by name', async () => {
  const fakes = createFakeSession(NOTEBOOK);
  expect(neededFileName(NOTEBOOK.cells[0]!)).toBe('qkv.safetensors');
  expect(neededFileName(makeNotebook([{ id: 'a', kind: 'attention' }]).cells[0]!)).toBeUndefined();
  await fakes.session.run('attn');
  expect(fakes.session.statuses().get('attn')).toMatchObject({
    state: 'failed',
    message: missingFileMessage('qkv.safetensors'),
  });
  expect(fakes.kernel.calls).toEqual([]);
});

test('the file goes to the kernel, and another one makes the result stale', async () => {
  const fakes = createFakeSession(NOTEBOOK);
  const first = file(1);
  fakes.session.bindFile('attn', first);
  await run(fakes);
  expect((fakes.kernel.calls[0]!.args[1] as AttentionCall).file).toBe(first);
  expect(fakes.session.statuses().get('attn')!.state).toBe('done');
  fakes.session.bindFile('attn', file(2));
  expect(fakes.session.statuses().get('attn')!.state).toBe('stale');
  fakes.session.bindFile('attn', first);
  expect(fakes.session.statuses().get('attn')!.state).toBe('done');
});

test('maps and exports read the file of the result, not one chosen since', async () => {
  const fakes = createFakeSession(NOTEBOOK);
  const { session, kernel } = fakes;
  const first = file(1);
  session.bindFile('attn', first);
  await run(fakes);
  session.bindFile('attn', file(2));
  const fileOf = (index: number) => (kernel.calls[index]!.args[1] as AttentionCall).file;
  const base = session.mapSource('attn').base(0, 0);
  await settle();
  expect(fileOf(1)).toBe(first);
  kernel.pending()[0]!.reply();
  const known = await base;
  const saved = session.tensors('attn');
  await settle();
  expect(kernel.calls[2]!.method).toBe('tensors');
  expect(fileOf(2)).toBe(first);
  kernel.pending()[0]!.reply();
  expect(await saved).toBeInstanceOf(Blob);

  // The same params over the second file have a map of their own.
  await run(fakes);
  const other = session.mapSource('attn').base(0, 0);
  await settle();
  expect(fileOf(kernel.calls.length - 1)!.lastModified).toBe(2);
  kernel.pending()[0]!.reply();
  expect(await other).not.toBe(known);
});

test('the spec hash follows the file where the cell reads one, and only there', async () => {
  const plain = makeNotebook([{ id: 'attn', kind: 'attention' }]);
  const hash = async (notebook: typeof NOTEBOOK, lastModified: number) =>
    (await specHashes(notebook, new Map([['attn', file(lastModified)]]), async (text) => text)).get(
      'attn',
    );
  expect(await hash(NOTEBOOK, 1)).toBe(await hash(NOTEBOOK, 1));
  expect(await hash(NOTEBOOK, 1)).not.toBe(await hash(NOTEBOOK, 2));
  expect(await hash(NOTEBOOK, 1)).toContain('qkv.safetensors');
  expect(await hash(plain, 1)).toBe(await hash(plain, 2));
});

test('there is nothing to export before a run', async () => {
  await expect(createFakeSession(NOTEBOOK).session.tensors('attn')).rejects.toThrow(
    'cell "attn" has no attention result yet: run it first',
  );
});
