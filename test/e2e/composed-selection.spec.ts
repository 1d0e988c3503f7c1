import { expect, test } from 'playwright/test';
import { cell, open, run } from './page-parts';

test('a selection is taken apart, composed anew part by part, and run', async ({ page }) => {
  const problems = await open(page);
  const prefill = cell(page, 'prefill');
  const editor = prefill.getByRole('region', { name: 'variant' });
  await editor.getByRole('combobox', { name: 'selection' }).selectOption('moba');
  await editor.getByRole('button', { name: 'Edit its parts' }).click();
  const composed = editor.getByRole('group', { name: 'composed selection' });
  await expect(composed.getByLabel('parts of')).toHaveValue('moba');
  await run(page, 'prefill');
  const table = prefill.getByRole('region', { name: 'selection' });
  await expect(table).toContainText('selected by composed');
  await expect(table.locator('tbody tr').first()).toContainText('mean, mean-query');

  const part = (name: string) => composed.getByRole('group', { name, exact: true });
  const scorer = part('scorer').getByLabel('type');
  // Antidiagonals are of keys, and the mean of a block has none.
  await scorer.selectOption('antidiagonal');
  const refusal = composed.getByRole('alert');
  await expect(refusal).toContainText(
    'invalid scorer.type: "antidiagonal" (expected another scorer, or summariser every-key',
  );
  await expect(scorer).toHaveValue('mean-query');
  // By keyboard.
  await part('summariser').getByLabel('type').focus();
  await page.keyboard.type('every');
  await expect(part('summariser').getByLabel('type')).toHaveValue('every-key');
  await expect(refusal).toHaveCount(0);
  await scorer.selectOption('antidiagonal');
  await part('reducer').getByLabel('of', { exact: true }).selectOption('probabilities');
  await part('reducer').getByLabel('keys').selectOption('sum');
  await part('reducer').getByLabel('queries').selectOption('sum');
  await part('selector').getByLabel('type').selectOption('top-p');
  await part('selector').getByLabel('share').fill('0.7');
  await expect(composed.getByLabel('parts of')).toHaveValue('');
  await run(page, 'prefill');
  const row = table.locator('tbody tr').first();
  await expect(row).toContainText('every-key, antidiagonal');
  await expect(row.locator('td').nth(1)).toHaveText(/^\d[\d.]* %$/);
  await expect(table.locator('tbody tr')).toHaveCount(8);
  await expect(prefill.locator('[data-tone=good]').first()).toContainText('within');
  expect(problems).toEqual([]);
});

test('lines become a tree by keyboard alone, through forced keys', async ({ page }) => {
  const problems = await open(page);
  const prefill = cell(page, 'prefill');
  const editor = prefill.getByRole('region', { name: 'variant' });
  await editor.getByRole('combobox', { name: 'selection' }).selectOption('vertical-slash');
  await editor.getByRole('button', { name: 'Edit its parts' }).focus();
  await page.keyboard.press('Enter');
  const composed = editor.getByRole('group', { name: 'composed selection' });
  await expect(composed.getByLabel('parts of')).toHaveValue('vertical-slash');
  await run(page, 'prefill');
  const row = prefill.getByRole('region', { name: 'selection' }).locator('tbody tr').first();
  await expect(row).toContainText('every-key, window, lines');

  const field = (part: string, label: string) =>
    composed.getByRole('group', { name: part, exact: true }).getByLabel(label, { exact: true });
  const choose = async (part: string, label: string, letters: string) => {
    await field(part, label).focus();
    await page.keyboard.type(letters);
  };
  await choose('selector', 'type', 'tree');
  await expect(composed.getByRole('alert')).toContainText(
    'invalid selector.type: "tree" (expected another selector, or summariser representative',
  );
  // Letters typed soon after others would go on with them.
  await field('selector', 'type').press('Home');
  await expect(composed).toContainText('not used: nothing is scored');
  await choose('summariser', 'type', 'repr');
  await choose('scorer', 'type', 'mean');
  await choose('reducer', 'of', 'scores');
  await choose('selector', 'type', 'tree');
  await expect(field('selector', 'type')).toHaveValue('tree');
  await expect(composed.getByRole('alert')).toHaveCount(0);
  await field('selector', 'branch').focus();
  await page.keyboard.press('ArrowUp');
  await expect(field('selector', 'branch')).toHaveValue('3');
  await expect(composed).toContainText('each node split in 3');
  await run(page, 'prefill');
  await expect(row).toContainText('representative, mean-query, tree');
  await expect(row.locator('td').nth(1)).toHaveText(/^\d[\d.]* %$/);
  await expect(prefill.locator('[data-tone=good]').first()).toContainText('within');
  expect(problems).toEqual([]);
});
