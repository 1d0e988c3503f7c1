import { expect, test } from 'playwright/test';
import { cell, open, openDocument, state } from './page-parts';

const DOCUMENT = [
  '---',
  'title: Parts',
  '---',
  '',
  '```cell workload #load',
  '{"source":{"type":"generator","requests":200,"clients":4}}',
  '```',
  '',
  '```cell serve #s <- load',
  '{"strategy":{"type":"sarathi","replicas":2}}',
  '```',
  '',
].join('\n');

test('a strategy is chosen, taken apart and put together with the keyboard', async ({ page }) => {
  const problems = await open(page);
  await openDocument(page, DOCUMENT);
  const serve = cell(page, 's');
  const strategy = serve.getByRole('combobox', { name: /^strategy/ });
  await expect(strategy).toHaveValue('sarathi');

  await serve.getByRole('button', { name: 'Take it apart' }).press('Enter');
  await expect(strategy).toHaveValue('sarathi-serve');
  await expect(serve).toContainText('no prompt ever stalls a decode');
  await serve.getByRole('button', { name: /^Run/ }).press('Enter');
  await expect(state(page, 's')).toHaveText(/done/);

  await serve.getByRole('combobox', { name: 'priority', exact: true }).selectOption('vtc');
  await expect(strategy).toHaveValue('vtc');
  await serve.getByRole('combobox', { name: 'preemption', exact: true }).selectOption('none');
  await expect(strategy).toHaveValue('own');
  await expect(serve.getByRole('alert')).toContainText('nothing reserves the blocks');

  await strategy.selectOption('orca');
  await expect(serve).toContainText('every request owns its slot');
  await expect(serve).toContainText('equal to reference runs');
  await serve.getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, 's')).toHaveText(/done/);
  expect(problems).toEqual([]);
});

test('the parts fit a narrow page', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 800 });
  await open(page);
  await openDocument(page, DOCUMENT);
  await cell(page, 's')
    .getByRole('combobox', { name: /^strategy/ })
    .selectOption('splitwise');
  await expect(cell(page, 's').getByRole('combobox', { name: 'topology' })).toHaveValue('pools');
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
});
