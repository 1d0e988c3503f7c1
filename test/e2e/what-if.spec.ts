import { expect, test } from 'playwright/test';
import { cell, open, openDocument, run } from './page-parts';

const DOCUMENT = [
  '```cell workload #load',
  '{"source":{"type":"generator","requests":1000}}',
  '```',
  '```cell serve #pools <- load',
  '{"strategy":{"type":"composed","topology":{"type":"pools","linkGigabytesPerSecond":4}}}',
  '```',
  '',
].join('\n');

test('sliders answer what if, and say what the run uses', async ({ page }) => {
  const problems = await open(page);
  await openDocument(page, DOCUMENT);
  await run(page, 'pools');
  const pools = cell(page, 'pools');
  await pools.getByText('What if, and what it uses').click();
  const table = pools.getByRole('table', { name: 'what if' });
  await expect(table.getByRole('row', { name: /^links and stores used/ })).toContainText('1×');

  const link = pools.getByRole('slider', { name: /^link bandwidth/ });
  await link.focus();
  for (let i = 0; i < 16; i++) await page.keyboard.press('ArrowLeft');
  await expect(link).toHaveAttribute('aria-valuetext', '0.25× what the cell has');
  await expect(pools.getByTestId('what-if-state')).toHaveText(/changed as the sliders say/);
  await expect(table.getByRole('row', { name: /^links and stores used/ })).not.toContainText('1×');
  await expect(pools.getByRole('img', { name: /^utilisation over time/ })).toBeVisible();
  await pools.getByRole('button', { name: 'Utilisation as a table' }).click();
  await expect(
    pools.getByRole('table', { name: 'utilisation over time' }).locator('tbody tr'),
  ).toHaveCount(24);
  await pools.getByRole('button', { name: 'Back to the cell' }).click();
  await expect(pools.getByTestId('what-if-state')).toHaveText(/as the cell has it/);
  expect(problems).toEqual([]);
});

test('what if fits a narrow page', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 800 });
  await open(page);
  await openDocument(page, DOCUMENT);
  await run(page, 'pools');
  await cell(page, 'pools').getByText('What if, and what it uses').click();
  await expect(cell(page, 'pools').getByRole('table', { name: 'what if' })).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
});
