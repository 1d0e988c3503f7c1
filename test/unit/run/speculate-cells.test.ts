import { expect, test } from 'vitest';
import { createFakeSession, makeNotebook, settle } from './fakes';

const NOTEBOOK = makeNotebook([
  { id: 'own', kind: 'model', params: { source: { type: 'file', fileName: 'own.zip' } } },
  { id: 'spec', kind: 'speculate', inputs: ['own'] },
  { id: 'alone', kind: 'speculate', params: { text: { type: 'prompt', prompt: 'a' } } },
  { id: 'gap', kind: 'recall-gap', params: { seed: 5 } },
]);

/** Runs a cell and answers every call that waits. */
async function run({ session, model }: ReturnType<typeof createFakeSession>, id: string) {
  const done = session.run(id);
  for (let i = 0; i < 3; i++) {
    await settle();
    for (const call of model.pending()) call.reply();
  }
  await done;
}

test('speculation gets the params and the file of the model it takes as input', async () => {
  const fakes = createFakeSession(NOTEBOOK);
  const file = new File(['weights'], 'own.zip', { lastModified: 1 });
  fakes.session.bindFile('own', file);
  await run(fakes, 'spec');
  const [call] = fakes.model.calls.filter(({ method }) => method === 'speculate');
  expect(call?.args[2]).toEqual(NOTEBOOK.cells[0]?.params);
  expect(call?.args[3]).toBe(file);
  expect(fakes.session.statuses().get('spec')?.state).toBe('done');
  fakes.session.bindFile('own', new File(['others'], 'own.zip', { lastModified: 2 }));
  expect(fakes.session.statuses().get('spec')?.isResultStale).toBe(true);
});

test('speculation without an input runs the shipped model', async () => {
  const fakes = createFakeSession(NOTEBOOK);
  await run(fakes, 'alone');
  expect(fakes.model.calls).toHaveLength(1);
  expect(fakes.model.calls[0]?.args.slice(2, 4)).toEqual([undefined, undefined]);
  const { result } = fakes.session.statuses().get('alone')!;
  expect(result?.provenance).toMatchObject({ engine: 'wasm', precision: 'f32', simulated: false });
  // No seed went into a prompt of one's own.
  expect(result?.provenance.seed).toBeUndefined();
});

test('the recall gap runs in the model worker and carries its seed', async () => {
  const fakes = createFakeSession(NOTEBOOK);
  await run(fakes, 'gap');
  expect(fakes.model.calls.map(({ method }) => method)).toEqual(['recallGap']);
  const { result, estimateSeconds } = fakes.session.statuses().get('gap')!;
  expect(result?.provenance).toMatchObject({ seed: 5, engine: 'reference', kindVersion: 1 });
  expect(estimateSeconds).toBeGreaterThan(0);
});
