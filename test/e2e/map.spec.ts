import { readFile } from 'node:fs/promises';
import { expect, type Page, test } from 'playwright/test';
import { cell, open, openDocument, run } from './page-parts';

const SHAPE = { queries: 96, keys: 96, queryHeads: 4, kvHeads: 2, headSize: 32 };
const attention = (id: string, params: object) =>
  `\`\`\`cell attention #${id}\n${JSON.stringify({ shape: SHAPE, engine: 'wasm', timedRuns: 1, ...params })}\n\`\`\`\n`;
const MAP_OF_TWO = `${attention('full', {})}
${attention('near', { variant: { type: 'sliding-window', windowTokens: 16 } })}
\`\`\`cell map #map <- full near
{}
\`\`\`
`;

const readout = (page: Page) => page.getByTestId('map-readout');
const tools = (page: Page, name: string) => cell(page, 'map').getByRole('button', { name });
const canvasOf = (page: Page) => cell(page, 'map').getByRole('application').locator('canvas');

async function openMap(page: Page): Promise<string[]> {
  const problems = await open(page, 'n/');
  await openDocument(page, MAP_OF_TWO);
  await run(page, 'full');
  await run(page, 'near');
  await expect(cell(page, 'map').getByText('computing the map')).toHaveCount(0);
  return problems;
}

/** The picture's pixels as one number, to see that it changed. */
const pixelsOf = (page: Page) =>
  canvasOf(page).evaluate((canvas: HTMLCanvasElement) => {
    const { data = [] } =
      canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? {};
    let hash = 0;
    for (const byte of data) hash = (Math.imul(hash, 31) + byte) | 0;
    return hash;
  });

async function downloaded(page: Page, button: string): Promise<Buffer> {
  const download = page.waitForEvent('download');
  await tools(page, button).click();
  return readFile(await (await download).path());
}

test('the map is moved and zoomed by keyboard, and reads what is under the cursor', async ({
  page,
}) => {
  const problems = await openMap(page);
  const map = cell(page, 'map').getByRole('application');
  await map.focus();
  await page.keyboard.press('ArrowRight');
  await expect(readout(page)).toHaveText(/^query 48, key 49: masked/);
  await page.keyboard.press('Home');
  await expect(readout(page)).toHaveText(/^query 48, key 0: 0\.\d+/);
  await page.keyboard.press('End');
  await expect(readout(page)).toHaveText(/^query 48, key 95: masked/);
  await page.keyboard.press('Shift+ArrowUp');
  await expect(readout(page)).toHaveText(/^query 32, key 95: masked/);
  for (let i = 0; i < 5; i++) await page.keyboard.press('+');
  await expect(map).toHaveAttribute('aria-label', /queries 2\d to 3\d, keys 8\d to 95/);
  // The cursor takes the view along when it leaves it.
  await page.keyboard.press('Home');
  await expect(map).toHaveAttribute('aria-label', /keys 0 to/);
  await page.keyboard.press('0');
  await expect(map).toHaveAttribute('aria-label', /queries 0 to 95, keys 0 to 95/);
  expect(problems).toEqual([]);
});

test('profiles follow the view and are read at the pointer', async ({ page }) => {
  await openMap(page);
  const before = await canvasOf(page).boundingBox();
  await tools(page, 'Profiles').click();
  await expect(tools(page, 'Profiles')).toHaveAttribute('aria-pressed', 'true');
  await expect(cell(page, 'map')).toContainText('at the right, the largest probability');
  const box = (await canvasOf(page).boundingBox()) as { width: number; height: number };
  expect(box.width).toBe(before?.width);
  await canvasOf(page).hover({ position: { x: 60, y: box.height / 2 } });
  await expect(readout(page)).toHaveText(
    /key \d+ receives [\d.e-]+ on average, and query \d+'s largest is [\d.e-]+$/,
  );
  const whole = await readout(page).innerText();
  await cell(page, 'map').getByRole('application').focus();
  for (let i = 0; i < 6; i++) await page.keyboard.press('+');
  await page.keyboard.press('ArrowDown');
  await expect(cell(page, 'map')).toContainText('Profiles of what is in view, exact');
  await expect(readout(page)).not.toHaveText(whole);
});

test('heads are shown side by side, and one is picked by keyboard', async ({ page }) => {
  await openMap(page);
  const first = await pixelsOf(page);
  await tools(page, 'Heads').click();
  await expect(page.getByTestId('map-heads-state')).toContainText('heads 0 to 3 of 4');
  const grid = cell(page, 'map').getByRole('group', { name: /Heads 0 to 3/ });
  await expect(grid.locator('button[aria-busy=false]')).toHaveCount(4);
  // Each is named by its pattern.
  await grid
    .getByRole('button', { name: /^head 0, (local|sink|vertical|diagonal|diffuse)$/ })
    .focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('End');
  await expect(grid.getByRole('button', { name: /^head 3/ })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(cell(page, 'map').getByRole('combobox', { name: /^head/ })).toHaveValue('3');
  await expect.poll(() => pixelsOf(page)).not.toBe(first);
  // As a table: what each head's probability lies on, and a way to pick one.
  await tools(page, 'Table').click();
  const table = cell(page, 'map').getByRole('region', { name: 'heads of the map' });
  await expect(table.locator('tbody tr')).toHaveCount(4);
  for (const row of await table.locator('tbody tr').all()) {
    const shares = (await row.locator('td').allInnerTexts()).slice(2, 7);
    const whole = shares.reduce((sum, text) => sum + Number.parseFloat(text), 0);
    expect(Math.abs(whole - 100)).toBeLessThan(0.5);
  }
  await table.getByRole('button', { name: 'head 1' }).focus();
  await page.keyboard.press('Enter');
  await expect(cell(page, 'map').getByRole('combobox', { name: /^head/ })).toHaveValue('1');
});

test('the table goes through the map, and a reading is that of the head on show', async ({
  page,
}) => {
  await openMap(page);
  await cell(page, 'map').getByRole('application').focus();
  await page.keyboard.press('ArrowLeft');
  const probability = async () => {
    const text = await readout(page).innerText();
    return Number(/key 47: ([\d.e-]+)/.exec(text)?.[1]);
  };
  await expect(readout(page)).toHaveText(/^query 48, key 47: /);
  const ofFirst = await probability();
  await cell(page, 'map').getByRole('combobox', { name: /^head/ }).selectOption('3');
  await expect.poll(probability).not.toBe(ofFirst);
  await expect.poll(probability).toBeGreaterThan(0);
  const ofLast = await probability();
  await tools(page, 'Profiles').click();
  await tools(page, 'Table').click();
  const table = cell(page, 'map').locator('table').first();
  for (let i = 0; i < 4; i++) await tools(page, 'Later queries').press('Enter');
  for (let i = 0; i < 3; i++) await tools(page, 'Later keys').press('Enter');
  await expect(table.locator('tbody th').first()).toHaveText('48');
  await expect(table.locator('thead th').last()).toHaveText('largest');
  // Keys 36 to 47: the last column before the profile is key 47.
  const last = await table.locator('tbody tr').first().locator('td').nth(11).innerText();
  expect(Math.abs(Number(last) - ofLast)).toBeLessThan(6e-3 * ofLast);
  await expect(table.locator('tfoot td')).toHaveCount(13);
  await expect(tools(page, 'Later queries')).toHaveAttribute('aria-disabled', 'false');
});

test('the difference of two cells tells what each gives, in picture, table and CSV', async ({
  page,
}) => {
  const problems = await openMap(page);
  const plain = (await downloaded(page, 'CSV')).toString().trim().split('\r\n');
  expect(plain[0]).toBe('query,key,probability,masked');
  expect(plain).toHaveLength(1 + 96 * 96);
  const rowSums = new Map<string, number>();
  for (const line of plain.slice(1)) {
    const [query = '', , p = ''] = line.split(',');
    rowSums.set(query, (rowSums.get(query) ?? 0) + Number(p));
  }
  for (const sum of rowSums.values()) expect(sum).toBeCloseTo(1, 4);

  await cell(page, 'map').getByRole('combobox', { name: /^show/ }).selectOption('difference');
  await expect(page.getByTestId('map-legend')).toContainText('masked in one only');
  await cell(page, 'map').getByRole('application').focus();
  await page.keyboard.press('Home');
  await expect(readout(page)).toHaveText(
    /^query 48, key 0: 0\.\d+ in full, masked in near, difference 0\.\d+$/,
  );
  const lines = (await downloaded(page, 'CSV')).toString().trim().split('\r\n');
  expect(lines[0]).toBe('query,key,probability_first,probability_second,difference');
  const [, , a, b, minus] = (lines[1 + 48 * 96] as string).split(',');
  expect(b).toBe('');
  expect(Number(minus)).toBe(Number(a));

  await tools(page, 'Table').click();
  const table = cell(page, 'map').locator('table').first();
  await expect(table.locator('tbody tr')).toHaveCount(12);
  await expect(table.locator('tbody tr').first()).toContainText('masked');
  await expect(table.locator('tbody td').first()).toContainText('0.00');
  await expect(tools(page, 'PNG')).toBeDisabled();
  expect(problems).toEqual([]);
});

test('a difference of unlike shapes is refused with a sentence', async ({ page }) => {
  await open(page, 'n/');
  const other = attention('near', { shape: { ...SHAPE, keys: 128 } });
  await openDocument(
    page,
    `${attention('full', {})}\n${other}\n\`\`\`cell map #map <- full near\n{"show": "difference"}\n\`\`\`\n`,
  );
  await run(page, 'full');
  await expect(cell(page, 'map')).toContainText('run near to see');
  await run(page, 'near');
  await expect(cell(page, 'map').getByRole('alert')).toHaveText(
    'no difference: full has 96 x 96 queries and keys, near has 96 x 128 (expected the same)',
  );
});

test('fits a narrow page without scrolling sideways', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await openMap(page);
  for (const part of ['Profiles', 'Heads', 'Table']) {
    await tools(page, part).click();
    const [needed, had] = await page.evaluate(() => [
      document.documentElement.scrollWidth,
      innerWidth,
    ]);
    expect(needed).toBeLessThanOrEqual(had as number);
  }
});

test('the blocks that the kernel visited lie over the map, over all mass too', async ({ page }) => {
  const problems = await open(page, 'n/');
  const selected = attention('kept', {
    shape: { ...SHAPE, queries: 512, keys: 512 },
    select: { type: 'vertical-slash' },
  });
  await openDocument(page, `${selected}\n\`\`\`cell map #map <- kept\n{}\n\`\`\`\n`);
  await run(page, 'kept');
  await expect(cell(page, 'map').getByText('computing the map')).toHaveCount(0);
  const bare = await pixelsOf(page);
  await tools(page, 'Blocks').click();
  await expect(page.getByTestId('map-legend')).toContainText('blocks of 16 queries x 32 keys');
  await expect.poll(() => pixelsOf(page)).not.toBe(bare);
  await cell(page, 'map').getByRole('application').focus();
  await page.keyboard.press('ArrowLeft');
  await expect(readout(page)).toHaveText(
    /^query 256, key 255: [\d.e-]+, in a (full|partial) block$/,
  );
  await page.keyboard.press('End');
  await expect(readout(page)).toHaveText('query 256, key 511: masked, in a skipped block');
  const kept = await pixelsOf(page);
  await cell(page, 'map').getByRole('combobox', { name: /^mass/ }).selectOption('all');
  await expect.poll(() => pixelsOf(page)).not.toBe(kept);
  await expect(page.getByTestId('map-legend')).toContainText('the rest is skipped');
  await tools(page, 'Table').click();
  const table = cell(page, 'map').getByRole('region', { name: 'visited blocks' });
  await expect(table.locator('tbody tr')).toHaveCount(24);
  for (const row of await table.locator('tbody tr').all()) {
    const cells = await row.locator('td').allInnerTexts();
    expect(cells.slice(1, 4).reduce((sum, text) => sum + Number(text), 0)).toBe(16);
  }
  expect(problems).toEqual([]);
});

test('an element says why it is seen, its score and what it costs, and is shown in the mask', async ({
  page,
}) => {
  await open(page, 'n/');
  const biased = attention('near', {
    variant: {
      type: 'formula',
      mask: ['k', 'q', '<=', 'q', 'k', '-', 'window', '<', 'and'],
      score: ['score', 0.5, 'q', 'k', '-', '*', '-'],
      numbers: [{ name: 'window', value: 16, min: 0, max: 64 }],
    },
  });
  await openDocument(page, `${biased}\n\`\`\`cell map #map <- near\n{}\n\`\`\`\n`);
  await run(page, 'near');
  await tools(page, 'Why').click();
  await cell(page, 'map').getByRole('application').focus();
  await page.keyboard.press('ArrowLeft');
  const why = cell(page, 'map').getByRole('region', { name: 'why' });
  await expect(why).toContainText('47 <= 48 && 48 - 47 < 16 is true, seen');
  // The probability that the formulas give is the one that the map shows.
  const score = why.getByTestId('why-score');
  await expect(score).toContainText('p = exp(');
  const p = Number((await score.innerText()).split('= ').pop());
  const shown = Number((await readout(page).innerText()).split(': ')[1]);
  expect(Math.abs(p - shown)).toBeLessThan(2e-3 * shown);
  await expect(why.getByTestId('why-cost')).toContainText(
    'query block 3, key block 1: partial, 512 pairs, 65.5k FLOP',
  );
  await expect(cell(page, 'near').getByTestId('mask-pointed')).toHaveAttribute(
    'title',
    'query 48, key 47',
  );
  await page.keyboard.press('Home');
  await expect(why).toContainText('0 <= 48 && 48 - 0 < 16 is false, masked');
  await expect(why.locator('[data-truth=false]')).toHaveText(
    'q - k < window: 48 - 0 < 16 is false',
  );
  await expect(why.getByTestId('why-cost')).toContainText('skipped, costs nothing');
});

test('positions are labelled by the document that they are in', async ({ page }) => {
  const problems = await open(page, 'n/');
  const documents = attention('near', { variant: { type: 'documents', meanDocumentTokens: 12 } });
  await openDocument(page, `${documents}\n\`\`\`cell map #map <- near\n{}\n\`\`\`\n`);
  await run(page, 'near');
  await cell(page, 'map').getByRole('application').focus();
  await page.keyboard.press('Home');
  await expect(readout(page)).toHaveText(
    /^query 48 \(document [1-9]\d?\), key 0 \(document 0\): masked$/,
  );
  expect(problems).toEqual([]);
});

test('an attention says what softmax in three, two and one passes would move', async ({ page }) => {
  await open(page, 'n/');
  await openDocument(page, attention('full', {}));
  await run(page, 'full');
  await cell(page, 'full').getByText('passes over memory').click();
  const table = cell(page, 'full').getByRole('table');
  await expect(table.locator('tbody')).toHaveCount(4);
  const bytesOf = async (name: string) =>
    Number.parseFloat(
      await table.locator('tr', { hasText: name }).locator('td').first().innerText(),
    );
  // 4 heads x 96 x 96 f32 are 144 KiB: three passes move S three times and P twice.
  const one = await bytesOf('one pass, online softmax');
  expect(await bytesOf('three passes, scores in memory')).toBeCloseTo(one + 5 * 144, 0);
  expect(await bytesOf('this kernel')).toBeGreaterThan(one);
});
