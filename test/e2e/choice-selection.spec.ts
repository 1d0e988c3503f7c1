import { expect, test } from 'playwright/test';
import { cell, open, run } from './page-parts';

test('heads choose among selections that are added, changed and removed by keyboard', async ({
  page,
}) => {
  const problems = await open(page);
  const prefill = cell(page, 'prefill');
  const editor = prefill.getByRole('region', { name: 'variant' });
  await editor.getByRole('combobox', { name: 'selection' }).selectOption('pattern-search');
  await editor.getByRole('button', { name: 'Edit its parts' }).click();
  const choice = editor.getByRole('group', { name: 'choice per head' });
  const alternative = (i: number) => choice.getByRole('combobox', { name: `alternative ${i}` });
  await expect(alternative(1)).toHaveValue('a-shape');
  await expect(alternative(3)).toHaveValue('block-sparse');

  // Three alternatives are one too many for a test with two answers.
  const criterion = choice.getByRole('group', { name: 'criterion' }).getByLabel('type');
  await criterion.selectOption('divergence');
  await expect(choice.getByRole('alert')).toContainText('expected 2 alternatives');
  await expect(criterion).toHaveValue('least-error');
  await criterion.selectOption('recall-at-density');
  await expect(choice.getByRole('alert')).toHaveCount(0);

  // The last alternative in parts, over sorted keys; then a fourth one, a copy of it, as a preset.
  const third = choice.getByRole('group', { name: /^alternative 3/ });
  await third.getByRole('button', { name: 'Edit its parts' }).focus();
  await page.keyboard.press('Enter');
  await expect(alternative(3)).toHaveValue('composed');
  const composed = third.getByRole('group', { name: 'composed selection' });
  await composed.getByLabel('keys', { exact: true }).first().selectOption('sorted');
  await composed.getByLabel('segment (tokens)').fill('48');
  await expect(composed.getByRole('alert')).toContainText('a multiple of blockTokens 32');
  await composed.getByLabel('segment (tokens)').fill('256');
  await choice.getByRole('button', { name: 'Add an alternative' }).focus();
  await page.keyboard.press('Enter');
  await expect(alternative(4)).toBeFocused();
  await page.keyboard.type('quest');
  await expect(alternative(4)).toHaveValue('quest');
  await choice.getByRole('button', { name: 'remove alternative 1' }).focus();
  await page.keyboard.press('Enter');
  await expect(alternative(1)).toHaveValue('vertical-slash');
  await expect(alternative(1)).toBeFocused();

  await run(page, 'prefill');
  await expect(prefill.getByRole('region', { name: 'selection' })).toContainText(
    'selected by choice',
  );
  const table = prefill.getByRole('region', { name: 'choice per head' });
  await expect(table.locator('thead')).toContainText('2 sorted, mean, mean-query, top-k');
  await expect(table.locator('tbody tr')).toHaveCount(8);
  for (const row of await table.locator('tbody tr').all()) {
    await expect(row.locator('td', { hasText: 'taken' })).toHaveCount(1);
  }
  await expect(prefill.locator('[data-tone=good]').first()).toContainText('within');
  expect(problems).toEqual([]);
});
