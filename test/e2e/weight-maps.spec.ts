import { readFile } from 'node:fs/promises';
import { expect, type Page, test } from 'playwright/test';
import { cell, open, openDocument, run } from './page-parts';

const block = (header: string, params: object) =>
  `\`\`\`cell ${header}\n${JSON.stringify(params)}\n\`\`\`\n`;
const SHAPE = { queries: 96, keys: 96, queryHeads: 4, kvHeads: 2, headSize: 32 };
const composed = { shape: SHAPE, engine: 'wasm', timedRuns: 1 };
const halves = [
  { name: 'first', channels: 'first-half' },
  { name: 'second', channels: 'second-half' },
];
const recurrent = {
  shape: { tokens: 80, keySize: 16, valueSize: 16, heads: 2 },
  engine: 'wasm',
  timedRuns: 1,
};
const step = {
  shape: { keys: 128, queryHeads: 4, kvHeads: 2, headSize: 32 },
  storages: [{ name: 'f32' }, { name: 'int4', key: { type: 'quantised', bits: 4 } }],
  engine: 'wasm',
  timedRuns: 1,
};
const KERNELS = `${block('compose #parts', composed)}
${block('compose #noise', { ...composed, parts: halves, rule: { type: 'difference' } })}
${block('recurrent #delta', { ...recurrent, rule: { type: 'delta' } })}
${block('decode #step', step)}
`;

const readout = (page: Page, id: string) => cell(page, id).getByTestId('map-readout');
const legend = (page: Page, id: string) => cell(page, id).getByTestId('map-legend');
const tool = (page: Page, id: string, name: string) =>
  cell(page, id).getByRole('button', { name, exact: true });
const choice = (page: Page, id: string, name: string) =>
  cell(page, id)
    .locator('label', { hasText: new RegExp(`^${name} `) })
    .locator('select');
const settled = (page: Page, id: string) =>
  expect(cell(page, id).getByText('computing the map')).toHaveCount(0);

async function openWith(page: Page, views: string, ids: readonly string[]): Promise<string[]> {
  const problems = await open(page, 'n/');
  await openDocument(page, `${KERNELS}${views}`);
  for (const id of ids) await run(page, id);
  return problems;
}

async function readAt(page: Page, id: string, query: number, key: number): Promise<string> {
  const map = cell(page, id).getByRole('application');
  await map.focus();
  // From the middle, where a cursor starts, to the element.
  const [rows, columns] = (await map.getAttribute('aria-label'))?.match(/\d+ to (\d+)/g) ?? [];
  const middle = (range: string | undefined) =>
    Math.floor((Number(range?.match(/(\d+)$/)?.[1]) + 1) / 2);
  await page.keyboard.press('Escape');
  for (let at = middle(rows); at < query; at++) await page.keyboard.press('ArrowDown');
  for (let at = middle(rows); at > query; at--) await page.keyboard.press('ArrowUp');
  for (let at = middle(columns); at < key; at++) await page.keyboard.press('ArrowRight');
  for (let at = middle(columns); at > key; at--) await page.keyboard.press('ArrowLeft');
  // An element in the middle is read too.
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowRight');
  await expect(readout(page, id)).toHaveText(new RegExp(`^query ${query}\\b.*key ${key}\\b`));
  return readout(page, id).innerText();
}

test('a composition has a map of its merged parts, and a difference a signed one', async ({
  page,
}) => {
  const views = `${block('map #merged <- parts', {})}${block('map #signed <- noise', { scale: 'linear' })}`;
  const problems = await openWith(page, views, ['parts', 'noise']);
  await settled(page, 'merged');
  await expect(cell(page, 'merged').getByRole('application')).toHaveAttribute(
    'aria-label',
    /^Composed attention map, head 0, queries 0 to 95/,
  );
  await expect(cell(page, 'merged')).toContainText('under their merged log-sum-exp');
  // What only attention has is not offered.
  await expect(tool(page, 'merged', 'Blocks')).toHaveCount(0);
  await expect(tool(page, 'merged', 'Why')).toHaveCount(0);
  expect(await readAt(page, 'merged', 48, 50)).toMatch(/masked$/);
  expect(await readAt(page, 'merged', 48, 47)).toMatch(/: 0\.\d+|e-\d+$/);
  await tool(page, 'merged', 'Heads').click();
  await expect(cell(page, 'merged').getByTestId('map-heads-state')).toContainText(
    'heads 0 to 3 of 4',
  );
  await tool(page, 'merged', 'Table').click();
  await expect(cell(page, 'merged').getByRole('table').first()).toContainText('masked');

  await settled(page, 'signed');
  await expect(legend(page, 'signed')).toContainText(/−[\d.]+ … 0 … [\d.]+/);
  const download = page.waitForEvent('download');
  await tool(page, 'signed', 'CSV').click();
  const text = await readFile(await (await download).path(), 'utf8');
  const [head, ...rows] = text.trim().split('\r\n');
  expect(head).toBe('query,key,weight,masked');
  const weights = rows.map((row) => row.split(',')).filter(([, , , masked]) => masked === '0');
  expect(weights.some(([, , weight]) => Number(weight) < 0)).toBe(true);
  // Rows of a difference sum to 1 - lambda.
  const last = weights.filter(([query]) => query === '95');
  expect(last.reduce((sum, [, , weight]) => sum + Number(weight), 0)).toBeCloseTo(0.2, 4);
  expect(problems).toEqual([]);
});

test('a recurrence has the map that it amounts to, and says where it has none', async ({
  page,
}) => {
  const lact = block('recurrent #lact', { ...recurrent, engine: 'cpu', rule: { type: 'lact' } });
  const views = `${lact}${block('map #implied <- delta', {})}${block('map #none <- lact', {})}`;
  const problems = await openWith(page, views, ['delta', 'lact']);
  await settled(page, 'implied');
  await expect(cell(page, 'implied').getByRole('application')).toHaveAttribute(
    'aria-label',
    /^Map of the recurrence, head 0, queries 0 to 79, keys 0 to 79/,
  );
  await expect(choice(page, 'implied', 'head')).toHaveCount(1);
  expect(await readAt(page, 'implied', 40, 41)).toMatch(/masked$/);
  expect(await readAt(page, 'implied', 40, 40)).toMatch(/: -?\d/);
  await tool(page, 'implied', 'Profiles').click();
  await expect(cell(page, 'implied')).toContainText('weight of largest magnitude of each query');
  await expect(readout(page, 'implied')).toContainText(/receives -?[\d.e-]+ on average/);
  await expect(cell(page, 'none').getByRole('alert')).toContainText(
    'no map of lact: rule lact reads the weights of an MLP',
  );
  expect(problems).toEqual([]);
});

test('a decode step shows its heads as rows, by storage, and what a storage changes', async ({
  page,
}) => {
  const problems = await openWith(page, block('map #rows <- step', {}), ['step']);
  await settled(page, 'rows');
  const map = cell(page, 'rows').getByRole('application');
  await expect(map).toHaveAttribute(
    'aria-label',
    /^Decode attention map, all rows, queries 0 to 3, keys 0 to 127/,
  );
  await expect(choice(page, 'rows', 'head')).toHaveCount(0);
  expect(await readAt(page, 'rows', 3, 64)).toContain('query 3 (head 3), key 64: 0.');
  await choice(page, 'rows', 'keys').selectOption('int4');
  await expect(choice(page, 'rows', 'show')).toBeVisible();
  await choice(page, 'rows', 'show').selectOption('what the storage changes');
  await expect(legend(page, 'rows')).toContainText('step, int4 − step');
  expect(problems).toEqual([]);
});

test('charts and tables read these cells, each kind in a table of its own', async ({ page }) => {
  const views = `${block('plot #chart <- parts delta step', {})}${block('table #all <- parts delta step', {})}`;
  const problems = await openWith(page, views, ['parts', 'delta', 'step']);
  const chart = choice(page, 'chart', 'chart');
  // A plot starts with a chart of serve cells, which these cannot fill.
  await expect(chart).toHaveValue('attention-roofline');
  await expect(chart.locator('option', { hasText: 'ttft' })).toHaveCount(0);
  await chart.selectOption('kernel-time');
  const figure = cell(page, 'chart').locator('div[role=group]');
  await expect(figure).toHaveAccessibleName(/parts: recent .*step: int4/);
  for (const [name, words] of [
    ['part-mass', /parts recent [\d.]+ %, older [\d.]+ %/],
    ['storage-error', /f32 .*int4/],
    ['recall', /delta .* after the overwrite/],
    ['state-bytes', /delta .* at .* tokens; delta, all softmax/],
  ] as const) {
    await chart.selectOption(name);
    await expect(figure).toHaveAccessibleName(words);
    await expect(figure.locator('svg')).toHaveCount(1);
  }
  await tool(page, 'chart', 'Table').click();
  await expect(cell(page, 'chart').getByRole('table')).toContainText('contextTokens');
  const tables = cell(page, 'all').getByRole('table');
  await expect(tables).toHaveCount(4);
  await expect(tables.nth(0)).toContainText('pairs unseen');
  await expect(tables.nth(1)).toContainText('parts: older');
  await expect(tables.nth(2)).toContainText('step: int4');
  await expect(tables.nth(3)).toContainText('overwrite error');
  expect(problems).toEqual([]);
});
