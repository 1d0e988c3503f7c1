import { expect, test } from 'playwright/test';
import { cell, open, openMethods, state } from './page-parts';

test('a published method becomes cells that run', async ({ page }) => {
  const problems = await open(page, './attention/');
  await expect(page.getByRole('navigation').getByText('Attention')).toHaveAttribute(
    'aria-current',
    'page',
  );
  const dialog = await openMethods(page);
  await dialog.getByLabel('find').fill('pages');
  await expect(dialog.getByRole('status')).toHaveText(/^\d of \d+ methods/);
  await dialog.getByRole('button', { name: 'Add LServe' }).press('Enter');
  await expect(cell(page, 'lserve')).toBeFocused();
  await expect(cell(page, 'lserve')).toContainText('Not in these cells');
  const selected = cell(page, 'lserve-selected');
  await selected.getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, 'lserve-selected')).toHaveText(/done/, { timeout: 60_000 });
  await expect(selected.getByRole('region', { name: 'selection' }).locator('tbody tr')).toHaveCount(
    8,
  );
  expect(problems).toEqual([]);
});

test('the only method found is added by Enter', async ({ page }) => {
  await open(page);
  const dialog = await openMethods(page);
  await expect(dialog.getByLabel('find')).toBeFocused();
  await page.keyboard.type('jitserve');
  await expect(dialog.getByRole('status')).toHaveText(/^1 of \d+ methods; Enter adds it$/);
  await page.keyboard.press('Enter');
  await expect(dialog).toHaveCount(0);
  await expect(cell(page, 'jitserve')).toBeFocused();
});

test('a recorded kernel result says whose numbers it shows, until it has run here', async ({
  page,
}) => {
  await open(page, './attention/');
  const delta = cell(page, 'delta');
  await expect(delta.getByText('Recorded:')).toBeVisible();
  await delta.getByRole('button', { name: /^Run/ }).click();
  await expect(delta.getByText('Recorded:')).toHaveCount(0, { timeout: 60_000 });
  await expect(state(page, 'delta')).toHaveText(/done/);
});

test('a selection is chosen beside the variant, and ends with another variant', async ({
  page,
}) => {
  await open(page, './attention/');
  const editor = cell(page, 'dense').getByRole('region', { name: 'variant' });
  await editor.getByRole('combobox', { name: 'selection' }).selectOption('flexprefill');
  await editor.getByLabel('gamma').fill('0.8');
  await expect(editor.getByLabel('gamma')).toHaveValue('0.8');
  await editor.getByRole('combobox', { name: 'variant' }).selectOption('preset alibi');
  await expect(editor.getByRole('combobox', { name: 'selection' })).toHaveCount(0);
  await editor.getByRole('combobox', { name: 'variant' }).selectOption('causal');
  await expect(editor.getByRole('combobox', { name: 'selection' })).toHaveValue('none');
});

test('a preset that no entry is named after is found and added too', async ({ page }) => {
  const problems = await open(page);
  const dialog = await openMethods(page);
  await dialog.getByLabel('find').fill('h2o');
  await dialog.getByRole('button', { name: 'Add H2O' }).click();
  await expect(cell(page, 'h2o-cache')).toBeVisible();
  await expect(cell(page, 'h2o')).toBeFocused();
  expect(problems).toEqual([]);
});
