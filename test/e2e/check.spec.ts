import { expect, test } from 'playwright/test';
import { cell, open, run, state } from './page-parts';

test('a check is chosen and run by keyboard, and shows its figures beside their bands', async ({
  page,
}) => {
  const problems = await open(page, './n/');
  await page.getByRole('button', { name: 'check', exact: true }).press('Enter');
  await cell(page, 'check')
    .getByRole('combobox', { name: /^method/ })
    .selectOption('batchllm');
  await run(page, 'check');
  const figures = cell(page, 'check').getByRole('region', { name: 'figures of BatchLLM' });
  await expect(figures.getByRole('row', { name: /groups together, prefix 2,000/ })).toContainText(
    /0\.852.*inside.*claim of the paper/,
  );
  await cell(page, 'check').getByText('table', { exact: true }).press('Enter');
  await expect(
    cell(page, 'check').getByRole('region', { name: /^table: Prompt tokens/ }),
  ).toContainText('grouped, prefix 2000');
  expect(problems).toEqual([]);
});

test('an unknown check fails with a sentence', async ({ page }) => {
  await open(page, './n/');
  await page.locator('header input[type=file]').setInputFiles({
    name: 'x.md',
    mimeType: 'text/markdown',
    buffer: Buffer.from('# t\n\n```cell check #warp\n{"check": "warp-drive"}\n```\n'),
  });
  await cell(page, 'warp').getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, 'warp')).toHaveText(/failed/);
  await expect(cell(page, 'warp')).toContainText('unknown check: "warp-drive" (expected one of');
});
