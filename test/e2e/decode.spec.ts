import { expect, test } from 'playwright/test';
import { cell, open, state } from './page-parts';

const add = async (page: Parameters<typeof open>[0]) => {
  const problems = await open(page, 'n/');
  await page.getByRole('button', { name: 'decode' }).click();
  return problems;
};

test('storages of a preset are run and compared', async ({ page }) => {
  const problems = await add(page);
  const decode = cell(page, 'decode');
  const editor = decode.getByRole('region', { name: /^storage of / });
  await editor.getByLabel('preset').selectOption('kivi');
  await expect(editor).toContainText('Liu et al. 2024');
  await decode.getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, 'decode')).toHaveText(/done/, { timeout: 60_000 });
  const table = decode.getByRole('region', { name: 'storages' });
  await expect(table.locator('tbody tr')).toHaveCount(3);
  await expect(table.locator('[data-tone=good]')).toHaveCount(3);
  await expect(table.getByRole('row', { name: /^2 bits, keys per channel/ })).toContainText('88 B');
  await expect(
    decode.getByRole('img', { name: /^output error against bytes per token/ }),
  ).toBeVisible();
  await expect(decode.locator('figure svg').first()).toBeVisible();
  await decode.getByText('the first packed word').click();
  await expect(
    decode.getByText('the code of channel 0 lies in the lowest bits').first(),
  ).toBeVisible();
  expect(problems).toEqual([]);
});

test('f16 is chosen for keys and values, run and read in the table', async ({ page }) => {
  const problems = await add(page);
  const decode = cell(page, 'decode');
  const editor = decode.getByRole('region', { name: /^storage of / });
  await editor.locator('summary').click();
  const second = editor.getByRole('group', { name: 'int8 per token', exact: true });
  for (const tensor of ['keys', 'values']) {
    await second.getByRole('combobox', { name: tensor, exact: true }).selectOption('f16');
    await expect(second.getByRole('combobox', { name: tensor, exact: true })).toHaveValue('f16');
  }
  await second.getByLabel('name').fill('served');
  await decode.getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, 'decode')).toHaveText(/done/, { timeout: 60_000 });
  const table = decode.getByRole('region', { name: 'storages' });
  const cells = table.getByRole('row', { name: /^served/ }).getByRole('cell');
  // Two KV heads of 64 numbers, K and V, two bytes each.
  await expect(cells.first()).toHaveText('512 B');
  await expect(cells.nth(3)).toHaveText('0.500');
  await expect(cells.nth(4)).toHaveText('1.00');
  await expect(cells.nth(5)).toHaveText('16.0');
  await expect(table.locator('[data-tone=good]')).toHaveCount(2);
  await expect(decode).toContainText('f16 keys and values were rounded to f16 and widened to f32');
  expect(problems).toEqual([]);
});

test('pages hold f16; codes are not offered there', async ({ page }) => {
  const problems = await add(page);
  const decode = cell(page, 'decode');
  const editor = decode.getByRole('region', { name: /^storage of / });
  await editor.getByLabel('layout').selectOption('paged');
  await editor.locator('summary').click();
  await editor.getByRole('button', { name: 'Add a storage' }).click();
  const added = editor.getByRole('group', { name: 'storage 2', exact: true });
  const keys = added.getByRole('combobox', { name: 'keys', exact: true });
  await expect(keys).toHaveValue('f16');
  await expect(keys.locator('option')).toHaveText(['f32', 'f16', 'bf16']);
  await decode.getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, 'decode')).toHaveText(/done/, { timeout: 60_000 });
  const table = decode.getByRole('region', { name: 'storages' });
  await expect(table.locator('tbody tr')).toHaveCount(2);
  await expect(table.locator('[data-tone=good]')).toHaveCount(2);
  await expect(decode).toContainText('kept, f32');
  expect(problems).toEqual([]);
});

test('storages are edited; what cannot be is told and changes nothing', async ({ page }) => {
  const problems = await add(page);
  const editor = cell(page, 'decode').getByRole('region', { name: /^storage of / });
  await editor.locator('summary').click();
  await editor.getByRole('button', { name: 'Add a storage' }).click();
  const added = editor.getByRole('group', { name: 'storage 3', exact: true });
  const keys = added.getByRole('group', { name: 'keys' });
  await keys.getByRole('combobox', { name: 'keys', exact: true }).selectOption('2');
  await keys.getByRole('combobox', { name: 'scales', exact: true }).selectOption('channel');
  await added.getByLabel('tokens per scale').fill('64');
  await expect(editor.getByLabel('preset')).toHaveValue('own');
  await added.getByLabel('tokens per scale').fill('0');
  await expect(editor.getByRole('alert').first()).toContainText('0');
  await added.getByLabel('tokens per scale').fill('16');
  await expect(editor.getByRole('alert')).toHaveCount(0);
  await added.getByRole('button', { name: 'Remove storage 3' }).click();
  await expect(editor.getByLabel('preset')).toHaveValue('int8-token');
  expect(problems).toEqual([]);
});

test('the pages of a pool are read by keyboard and as a table', async ({ page }) => {
  const problems = await add(page);
  const decode = cell(page, 'decode');
  await decode.getByLabel('preset').selectOption('shared-prefix');
  await decode.getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, 'decode')).toHaveText(/done/, { timeout: 60_000 });
  await expect(decode).toContainText('saved by sharing');
  const pages = decode.getByRole('region', { name: 'pages' });
  const pool = pages.getByRole('group', {
    name: /12 shared, 5 partly filled|12 shared, 6 partly filled/,
  });
  await pool.focus();
  await page.keyboard.press('ArrowRight');
  await expect(pages.getByRole('status')).toContainText('page 0: ');
  await page.keyboard.press('ArrowRight');
  await expect(pages.getByRole('status')).toContainText('page 1: ');
  await page.keyboard.press('End');
  await expect(pages.getByRole('status')).not.toContainText('page 1: ');
  await page.keyboard.press('Home');
  await expect(pages.getByRole('status')).toContainText('page 0: ');
  await expect(pages.getByText(/^the pool/)).toContainText('pages of 16 tokens');
  await pages.getByRole('button', { name: 'Table' }).click();
  await expect(pages.locator('tbody tr')).toHaveCount(6);
  await decode.getByText('Parameters', { exact: true }).click();
  await decode.getByLabel('page (tokens)').selectOption('32');
  await decode.getByRole('button', { name: /^Run/ }).click();
  await expect(pages.getByText(/^the pool/)).toContainText('pages of 32 tokens', {
    timeout: 60_000,
  });
  expect(problems).toEqual([]);
});
