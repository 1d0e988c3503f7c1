import { expect, type Page, test } from 'playwright/test';
import { tinyConfig, tinyFiles, tinyTensors } from '../unit/transformer/tiny-model';
import { cell, open, openDocument, run, state } from './page-parts';

/** Two policies, a composed one and one that nobody knows, on few short contexts. */
const DOCUMENT = `\`\`\`cell cache #c
{
  "entries": [
    { "type": "preset", "id": "full", "share": 1 },
    { "type": "preset", "id": "streaming-llm", "share": 0.25 },
    { "type": "preset", "id": "nothing-like-it", "share": 0.25 }
  ],
  "contextTokens": 64,
  "samples": 2
}
\`\`\`
`;

const add = (page: Page, kind: string) =>
  page.getByRole('group', { name: 'Add a cell' }).getByRole('button', { name: kind, exact: true });

test('policies run side by side; an unknown one says so in its row', async ({ page }) => {
  await open(page);
  await openDocument(page, DOCUMENT);
  const c = cell(page, 'c');
  await expect(c).toContainText('no policy is called nothing-like-it');
  await expect(c).toContainText(/Not offered, because the shipped model .*common words/);
  await run(page, 'c');
  const policies = c.getByRole('region', { name: /^policies of / });
  await expect(policies.getByRole('row')).toHaveCount(4);
  await expect(policies.getByRole('row', { name: /^full cache/ })).toContainText('of 2');
  await expect(policies).toContainText('unknown policy: nothing-like-it');
  await expect(c.getByRole('img', { name: /^accuracy against bytes: full cache/ })).toBeVisible();
});

test('the slot picture is read by keyboard and has a table of its own', async ({ page }) => {
  await open(page);
  await openDocument(page, DOCUMENT);
  await run(page, 'c');
  const c = cell(page, 'c');
  const picture = c.getByRole('application');
  const reading = c.locator('[aria-live=polite]');
  await picture.focus();
  await page.keyboard.press('Home');
  await expect(reading).toContainText('layer 0, KV head 0, token 0 "<bos>": kept');
  await page.keyboard.press('Shift+ArrowRight');
  await expect(reading).toContainText('token 16');
  await expect(reading).toContainText('dropped');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('End');
  await expect(reading).toContainText('layer 0, KV head 1, token 63');
  await c.getByLabel('as a table').check();
  const table = c.getByRole('region', { name: 'slots of every head' });
  await expect(table.getByRole('row')).toHaveCount(1 + 4 * 4);
  // Of 64 slots a quarter is kept in every head.
  await expect(table.getByRole('row').nth(1)).toContainText(/^0\s*0\s*16\s*0\s*0\s*0\s*0\s*48/);
});

test('a policy is composed: one click per action, checks in place, every part', async ({
  page,
}) => {
  await open(page);
  await openDocument(page, DOCUMENT);
  const c = cell(page, 'c');
  await c.getByRole('button', { name: 'compose a policy' }).click();
  const entry = c.getByRole('list', { name: 'policies' }).getByRole('listitem').nth(3);
  for (const action of [
    'quantise',
    'merge',
    'project',
    'compensate',
    'offload',
    'recompute',
    'evict',
  ]) {
    await entry.getByRole('radio', { name: action }).check();
    await expect(entry.getByRole('radio', { name: action })).toBeChecked();
  }
  await entry.getByText('all parts of composed 1').click();
  const trigger = entry.getByRole('group', { name: 'trigger' });
  await trigger.getByLabel('type').selectOption('on-question');
  await entry.getByLabel('score of policy 4').selectOption('position');
  await expect(entry.getByRole('list', { name: 'checks' })).toContainText(
    'invalid type: "on-question" (expected a scorer that reads the question\'s queries',
  );
  const pool = entry.getByRole('group', { name: 'pool' });
  await pool.getByLabel('type').selectOption('max');
  await expect(pool.getByLabel('kernel')).toHaveValue('16');
});

test('the model writes, its heads are told, and its attention has a map', async ({ page }) => {
  const problems = await open(page);
  await add(page, 'model').click();
  const model = cell(page, 'model');
  await model.getByLabel('prompt', { exact: true }).fill('paris : 42 ; oslo : 17 ; ? oslo :');
  await run(page, 'model');
  await expect(model.locator('output')).not.toHaveText('(nothing)');
  const heads = model.getByRole('region', { name: 'what heads do' });
  await expect(heads.getByRole('img', { name: /^induction: / })).toBeVisible();
  await heads.getByLabel('as a table').check();
  await expect(heads.getByRole('row')).toHaveCount(1 + 4 * 8);
  await heads.getByLabel('layer').selectOption('2');
  await heads.getByRole('button', { name: 'look at attention' }).click();
  await run(page, 'layer-2');
  await expect(cell(page, 'layer-2-map').locator('canvas').first()).toBeVisible();
  await expect(cell(page, 'layer-2')).toContainText('inputs from layer 2 of the recall model');
  expect(problems).toEqual([]);
});

test('a cache cell refuses a model of one’s own, which itself runs from chosen files', async ({
  page,
}) => {
  await open(page);
  await add(page, 'model').click();
  const model = cell(page, 'model');
  await model.getByRole('combobox', { name: 'model' }).selectOption('own');
  const config = tinyConfig('llama');
  const files = await Promise.all(
    [...tinyFiles({ config, tensors: tinyTensors(config) })].map(async ([name, blob]) => ({
      name,
      mimeType: 'application/octet-stream',
      buffer: Buffer.from(await blob.arrayBuffer()),
    })),
  );
  await model.getByLabel('Choose files').setInputFiles(files);
  await model.getByRole('button', { name: /^Load / }).click();
  await expect(state(page, 'model')).toHaveText(/done/, { timeout: 60_000 });
  await expect(model).toContainText('2 x 4');
  await add(page, 'cache').click();
  await cell(page, 'cache').getByRole('button', { name: /^Run/ }).click();
  await expect(cell(page, 'cache').getByRole('alert')).toContainText(
    'the tasks are written in the words of the recall model',
  );
});

test('slots that return are counted where they lie, and what it takes to bring them back', async ({
  page,
}) => {
  await open(page);
  const composed = (label: string, action: object) => ({
    type: 'composed',
    label,
    policy: { budget: { type: 'ratio', share: 0.25 }, action },
  });
  const entries = [
    composed('away', { type: 'offload' }),
    composed('again', { type: 'recompute', fromLayer: 0 }),
  ];
  const params = JSON.stringify({ entries, contextTokens: 64, samples: 2 });
  await openDocument(page, `\`\`\`cell cache #c\n${params}\n\`\`\`\n`);
  await run(page, 'c');
  const policies = cell(page, 'c').getByRole('region', { name: /^policies of / });
  await expect(policies.getByRole('columnheader', { name: 'moved per token' })).toBeVisible();
  await expect(policies.getByRole('columnheader', { name: 'recomputed, FLOP' })).toBeVisible();
  for (const name of [/^away/, /^again/]) {
    await expect(policies.getByRole('row', { name })).toContainText('of 2');
  }
});

test('gates of heads are fitted by choice and shown, and a preset is checked', async ({ page }) => {
  await open(page);
  const entries = [{ type: 'preset', id: 'duo-attention', share: 0.5 }];
  const params = JSON.stringify({ entries, contextTokens: 64, samples: 2 });
  await openDocument(page, `\`\`\`cell cache #c\n${params}\n\`\`\`\n`);
  const c = cell(page, 'c');
  const gates = c.getByLabel('gates of policy 1');
  await expect(gates).toHaveValue('own');
  await gates.selectOption('4');
  await run(page, 'c');
  await c.getByText('Gates of heads').click();
  await expect(c.getByText('by retrieval on 4 passkey contexts')).toBeVisible();
  await c.getByLabel('policy 1', { exact: true }).selectOption('tova');
  await expect(gates).toHaveCount(0);
  await c.getByText('source and defaults').click();
  const check = c.getByRole('region', { name: 'check of tova' });
  await check.getByRole('button', { name: 'run the check' }).click();
  await expect(check.getByRole('row', { name: /^accuracy, tova less random/ })).toContainText(
    /% \(.* to .*\).*(inside|outside)/,
    { timeout: 60_000 },
  );
  await check.getByRole('button', { name: 'add it as a cell' }).press('Enter');
  await expect(cell(page, 'c-check')).toBeFocused();
  await expect(cell(page, 'c-check').getByRole('combobox', { name: /^method/ })).toHaveValue(
    'tova',
  );
  await run(page, 'c-check');
  await expect(cell(page, 'c-check')).toContainText('WebAssembly on the CPU');
});

test('an edit is followed four ways in one click', async ({ page }) => {
  await open(page);
  const params = JSON.stringify({ task: 'edits', contextTokens: 96, samples: 2 });
  await openDocument(page, `\`\`\`cell cache #c\n${params}\n\`\`\`\n`);
  const c = cell(page, 'c');
  await c.getByRole('button', { name: 'follow the edit four ways' }).click();
  await run(page, 'c');
  const policies = c.getByRole('region', { name: /^policies of / });
  await policies.focus();
  await expect(policies).toBeFocused();
  for (const name of [/^full recompute/, /^edit, prefix/, /^edit without/, /^PIE/]) {
    await expect(policies.getByRole('row', { name })).toContainText('of 2');
  }
});
