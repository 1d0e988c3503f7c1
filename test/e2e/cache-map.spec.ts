import { expect, type Locator, test } from 'playwright/test';
import { cell, open, openDocument, run } from './page-parts';

const CACHE = `\`\`\`cell cache #c
{
  "entries": [
    { "type": "preset", "id": "full", "share": 1 },
    { "type": "preset", "id": "mikv", "share": 0.25 },
    { "type": "preset", "id": "streaming-llm", "share": 0.25 }
  ],
  "contextTokens": 64,
  "samples": 2
}
\`\`\`
`;
const MAP = `
\`\`\`cell map #m <- c
{ "policy": 2, "layer": 1, "head": 3 }
\`\`\`
`;

/** The choice of a policy beside the slots. */
const policyOf = (c: Locator) =>
  c.getByRole('figure').filter({ hasText: 'Slots of sample' }).getByRole('combobox').first();

test('a slot tells since when it is what it is, and who attends to it', async ({ page }) => {
  const problems = await open(page, 'n/');
  await openDocument(page, CACHE);
  await run(page, 'c');
  const c = cell(page, 'c');
  await expect(c).toContainText('point at a slot to see');
  const picture = c.getByRole('application', { name: /^slots of/ });
  await picture.focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('Shift+ArrowRight');
  const readers = c.getByRole('region', { name: 'who attends to the slot' });
  await expect(readers.getByRole('row')).toHaveCount(1 + 8);
  await expect(readers).toContainText('the strongest queries of token 16');
  await expect(c).toContainText(
    'kept from token 16 on, dropped from token 64 on (the question begins)',
  );
  const weights = await readers.locator('tbody td:nth-child(5)').allInnerTexts();
  const values = weights.map((text) => (text.startsWith('under') ? 0 : Number.parseFloat(text)));
  expect(values).toEqual([...values].sort((a, b) => b - a));
  await page.keyboard.press('ArrowDown');
  await expect(readers).toContainText('in layer 0, KV head 1');
  const box = await picture.locator('canvas').boundingBox();
  await page.mouse.click((box?.x ?? 0) + 3, (box?.y ?? 0) + (box?.height ?? 0) - 4);
  await expect(readers).toContainText('token 0 "<bos>" in layer 3, KV head 3');
  // StreamingLLM never drops the first tokens.
  await expect(readers.locator('td[data-tone=bad]')).toHaveCount(0);
  await policyOf(c).selectOption('MiKV 25 %');
  await expect(c.locator('[aria-live=polite]').first()).toContainText(/quantised|kept/);
  expect(problems).toEqual([]);
});

test('slots are coloured by bytes, score and age, each another picture', async ({ page }) => {
  await open(page, 'n/');
  await openDocument(page, CACHE);
  await run(page, 'c');
  const c = cell(page, 'c');
  await policyOf(c).selectOption('MiKV 25 %');
  const picture = c.getByRole('application', { name: /^slots of/ }).locator('canvas');
  const seen = new Set<string>();
  for (const coloring of ['state', 'bytes', 'score', 'attention', 'age']) {
    await c.getByLabel('colour').selectOption(coloring);
    await expect
      .poll(async () => {
        const drawn = await picture.evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
        return seen.has(drawn) ? undefined : drawn;
      })
      .toBeDefined();
    seen.add(await picture.evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL()));
  }
  expect(seen.size).toBe(5);
});

test('a map over a cache cell shows who attends to whom and what the policy kept', async ({
  page,
}) => {
  const problems = await open(page, 'n/');
  await openDocument(page, CACHE + MAP);
  const m = cell(page, 'm');
  await expect(m).toContainText('run c to see its map');
  await run(page, 'c');
  await expect(m.getByTestId('kept-mass')).toContainText(
    /question and answer in layer 1, KV head 1, \d+(\.\d+)? % lies on what StreamingLLM 25 % let them see/,
  );
  const legend = m.getByTestId('map-legend');
  await expect(legend).toContainText('what the policy let every query see, token by token');
  const map = m.getByRole('application', { name: /^Attention map, head 3/ });
  await map.focus();
  await page.keyboard.press('Home');
  const readout = m.getByTestId('map-readout');
  await expect(readout).toContainText(/key 0 \("<bos>"\): [\d.e-]+, kept/);
  for (let i = 0; i < 3; i++) await page.keyboard.press('Shift+ArrowDown');
  await page.keyboard.press('Shift+ArrowRight');
  await expect(readout).toContainText(/key 16 \(.*, dropped/);
  await m.getByRole('button', { name: 'Table', exact: true }).press('Enter');
  await expect(m.getByRole('columnheader', { name: '0 "<bos>"' })).toBeVisible();
  await expect(m.getByRole('region', { name: 'slots that every query saw' })).toBeVisible();
  await expect(m.getByRole('button', { name: 'Why' })).toHaveCount(0);
  await m.getByLabel('policy').selectOption('full cache');
  await expect(m.getByTestId('kept-mass')).toContainText('100 % lies on what full cache');
  await m.getByLabel('layer').selectOption('3');
  await expect(m.getByTestId('kept-mass')).toContainText('in layer 3, KV head 1');
  await m.getByRole('button', { name: 'Heads' }).press('Enter');
  await expect(m.getByTestId('map-heads-state')).toContainText('heads 0 to 7 of 8');
  expect(problems).toEqual([]);
});

test('the cell has the map too, and gives it to the notebook', async ({ page }) => {
  const problems = await open(page, 'n/');
  await openDocument(page, CACHE);
  await run(page, 'c');
  const c = cell(page, 'c');
  await c.getByText('Attention map of sample 0').press('Enter');
  await expect(c.getByTestId('kept-mass')).toContainText('let them see');
  await expect(c.getByTestId('map-legend')).toBeVisible();
  await c.getByRole('button', { name: 'add this map to the notebook' }).click();
  await expect(cell(page, 'c-map').getByTestId('kept-mass')).toContainText('StreamingLLM 25 %');
  await c.getByText('Bytes of every layer').press('Enter');
  const ledger = c.getByRole('region', { name: 'bytes of every layer' });
  await expect(ledger.locator('tfoot tr')).toHaveCount(1);
  await expect(ledger.locator('tfoot')).toContainText('device');
  await page.setViewportSize({ width: 390, height: 844 });
  expect(
    await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
  ).toBeLessThanOrEqual(0);
  expect(problems).toEqual([]);
});
