import { expect, type Page, test } from 'playwright/test';
import { cell, open, openDocument, run, state } from './page-parts';

const PROMPT = 'paris : 42 ; rome : 17 ; oslo : paris ; ? rome :';
const entry = (id: string, share: number) => ({ type: 'preset', id, share });
/** Slots alone; attention summed; a window's queries; between layers; per query; on its own. */
const ENTRIES = [
  entry('full', 1),
  entry('h2o', 0.25),
  entry('snapkv', 0.25),
  entry('cake', 0.25),
  entry('quest', 0.25),
  entry('fastkv', 0.25),
];

const block = (kind: string, id: string, params: object) =>
  `\`\`\`cell ${kind} #${id}\n${JSON.stringify(params)}\n\`\`\`\n`;

/** The same cell twice, on the software adapter and in WebAssembly. */
const twice = (kind: string, params: object) =>
  ['webgpu', 'wasm'].map((engine) => block(kind, engine, { ...params, engine })).join('\n');

const provenance = (page: Page, id: string) =>
  cell(page, id).locator('summary').filter({ hasText: 'Headroom' });

test('a model cell writes on the adapter what it writes in WebAssembly', async ({ page }) => {
  const problems = await open(page);
  await openDocument(page, twice('model', { prompt: PROMPT, newTokens: 6 }));
  await run(page, 'webgpu');
  await run(page, 'wasm');
  const written = (id: string) => cell(page, id).locator('output').first().innerText();
  expect(await written('webgpu')).toBe(await written('wasm'));
  expect(await written('webgpu')).toMatch(/^17\b/);
  await expect(cell(page, 'webgpu')).toContainText(
    'the prompt was read and tokens were written by WebGPU',
  );
  await expect(provenance(page, 'webgpu')).toContainText('WebGPU on');
  await expect(provenance(page, 'webgpu')).toContainText('software adapter');
  await expect(provenance(page, 'wasm')).toContainText('WebAssembly on the CPU');
  expect(problems).toEqual([]);
});

test('engine auto leaves a software adapter alone', async ({ page }) => {
  await open(page);
  await openDocument(page, block('model', 'm', { prompt: PROMPT, newTokens: 2 }));
  await run(page, 'm');
  await expect(provenance(page, 'm')).toContainText('WebAssembly on the CPU');
  await expect(cell(page, 'm')).toContainText('Engine: auto reads prompts on a GPU');
});

test('policies of a cache cell answer on the adapter as in WebAssembly, and the cell says where', async ({
  page,
}) => {
  test.setTimeout(400_000);
  const problems = await open(page);
  const params = { entries: ENTRIES, contextTokens: 48, samples: 3, task: 'passkey' };
  await openDocument(page, twice('cache', params));
  // A software adapter takes its time.
  await cell(page, 'webgpu').getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, 'webgpu')).toHaveText(/done/, { timeout: 240_000 });
  await run(page, 'wasm');
  /** Answers and slots of every policy; bytes follow from the slots, times are their own. */
  const answers = (id: string) =>
    cell(page, id)
      .getByRole('region', { name: /^policies of / })
      .getByRole('row')
      .evaluateAll((rows) =>
        rows.slice(1).map((row) => {
          const names = [...(row.closest('table')?.querySelectorAll('thead th') ?? [])];
          const at = (name: string) => names.findIndex((each) => each.textContent === name);
          const texts = [...row.children].map(({ textContent }) => textContent);
          return [texts[0], texts[at('answers')], texts[at('slots')], texts[at('payload')]];
        }),
      );
  const found = await answers('webgpu');
  expect(found).toEqual(await answers('wasm'));
  expect(found.map(([name]) => name)).toHaveLength(ENTRIES.length);
  // Most of them: answers that are all wrong would agree with anything.
  expect(found[0]?.[1]).toMatch(/^[23] of 3$/);
  const c = cell(page, 'webgpu');
  await expect(c).toContainText('WebGPU in');
  await expect(c).toContainText(
    /over slots that the device holds: full cache, H2O 25 %, SnapKV 25 %, CAKE 25 %, Quest/,
  );
  await expect(c).toContainText(/layer by layer by WebGPU.*: CAKE 25 %/);
  await expect(c).toContainText(/of these in WebAssembly.*FastKV 25 % \d+ of \d+ steps/);
  await expect(provenance(page, 'webgpu')).toContainText('software adapter');
  await expect(provenance(page, 'wasm')).toContainText('WebAssembly on the CPU');
  expect(problems).toEqual([]);
});
