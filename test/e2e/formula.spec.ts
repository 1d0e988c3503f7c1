import { expect, test } from 'playwright/test';
import { cell, open, state } from './page-parts';

test('a variant is chosen, rewritten as a formula, moved by a slider and run', async ({ page }) => {
  const problems = await open(page);
  const editor = cell(page, 'prefill').getByRole('region', { name: 'variant' });
  const preview = editor.getByRole('img');
  await expect(preview).toHaveAttribute('aria-label', /about 50/);
  await editor.getByLabel('variant').selectOption({ label: 'Sliding window' });
  await expect(editor.getByRole('combobox', { name: 'mask' })).toHaveValue(
    'k <= q && q - k < window',
  );
  await expect(preview).toHaveAttribute('aria-label', /about 2\d/);
  await editor.getByRole('slider').fill('64');
  await expect(preview).toHaveAttribute('aria-label', /about [5-9]/);
  // Another structure, by keyboard: names are completed.
  const mask = editor.getByRole('combobox', { name: 'mask' });
  await mask.focus();
  await page.keyboard.press('End');
  await page.keyboard.type(' || k < wi');
  await expect(editor.getByRole('option', { name: 'window', exact: true })).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(mask).toHaveValue('k <= q && q - k < window || k < window');
  await expect(editor.getByLabel('variant')).toHaveValue('own');
  await cell(page, 'prefill').getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, 'prefill')).toHaveText(/done/, { timeout: 60_000 });
  await expect(cell(page, 'prefill').locator('[data-tone=good]').first()).toContainText('within');
  expect(problems).toEqual([]);
});

test('keys are selected by a method, and the cell says what they cost', async ({ page }) => {
  await open(page);
  const prefill = cell(page, 'prefill');
  await prefill.getByText('Parameters').click();
  await prefill
    .getByRole('group', { name: 'select' })
    .getByLabel('type')
    .selectOption('vertical-slash');
  await prefill.getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, 'prefill')).toHaveText(/done/, { timeout: 60_000 });
  const table = prefill.getByRole('region', { name: 'selection' });
  await expect(table).toContainText('selected by vertical-slash');
  await expect(table.locator('tbody tr')).toHaveCount(8);
  await expect(prefill.locator('[data-tone=good]').first()).toContainText('within');
});

test('a recurrent cell is added, run and compared with softmax', async ({ page }) => {
  const problems = await open(page, 'n/');
  await page.getByRole('button', { name: 'recurrent' }).click();
  await cell(page, 'recurrent').getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, 'recurrent')).toHaveText(/done/, { timeout: 60_000 });
  await expect(cell(page, 'recurrent').locator('[data-tone=good]').first()).toContainText('within');
  await expect(cell(page, 'recurrent')).toContainText('a softmax cache keeps');
  await expect(cell(page, 'recurrent').getByRole('region', { name: 'recall' })).toContainText(
    'gated-delta',
  );
  expect(problems).toEqual([]);
});

test('a mistake in a formula is shown under its column and changes nothing', async ({ page }) => {
  await open(page);
  const editor = cell(page, 'prefill').getByRole('region', { name: 'variant' });
  await editor.getByRole('button', { name: 'Edit as formula' }).click();
  const mask = editor.getByRole('combobox', { name: 'mask' });
  await expect(mask).toHaveValue('k <= q');
  const before = await page.evaluate(() => location.href);
  await mask.fill('k <= q && windw > 3');
  await expect(editor.getByRole('alert')).toContainText('unknown name: windw');
  await expect(editor.getByRole('alert')).toContainText('at column 11');
  await expect(editor.getByRole('img')).toHaveAttribute('aria-label', /about 50/);
  expect(await page.evaluate(() => location.href)).toBe(before);
  await mask.fill('k <= q && q - k < 100');
  await expect(editor.getByRole('alert')).toHaveCount(0);
});

test('what may go wrong is marked under its part, and numbers get names', async ({ page }) => {
  await open(page);
  const editor = cell(page, 'prefill').getByRole('region', { name: 'variant' });
  await editor.getByLabel('variant').selectOption({ label: 'Sliding window' });
  const score = editor.getByRole('combobox', { name: 'score' });
  await score.fill('score + log(k - 5)');
  const warning = editor.getByRole('status').filter({ hasText: 'may be 0 or below' });
  await expect(warning).toContainText('at column 9: log(k - 5)');
  await score.fill('');
  await expect(warning).toHaveCount(0);
  // Names are listed when they are asked for.
  await score.focus();
  await page.keyboard.press('Control+ ');
  await expect(editor.getByRole('option', { name: 'score', exact: true })).toBeVisible();
  await page.keyboard.press('Escape');
  await editor.getByText('value, bounds, name').click();
  await editor.getByRole('textbox', { name: 'name', exact: true }).fill('span');
  await expect(editor.getByRole('combobox', { name: 'mask' })).toHaveValue(
    'k <= q && q - k < span',
  );
  const value = editor.getByRole('textbox', { name: 'value', exact: true });
  await value.fill('100');
  await expect(editor.getByRole('slider')).toHaveValue('100');
  await value.fill('0');
  await expect(editor.getByRole('alert')).toHaveText(
    'invalid value: 0 (expected between min and max)',
  );
  await editor.getByRole('button', { name: 'Remove span' }).click();
  await expect(editor).toContainText('span is still in a formula');
});

test('a mask is read by keys and as a table', async ({ page }) => {
  await open(page);
  const editor = cell(page, 'prefill').getByRole('region', { name: 'variant' });
  await editor.getByRole('group', { name: /cells of the mask/ }).focus();
  await page.keyboard.press('ArrowRight');
  await expect(page.getByTestId('mask-reading').first()).toHaveText(/^query 0.*about \d+/);
  await page.keyboard.press('End');
  await expect(page.getByTestId('mask-reading').first()).toContainText('nothing seen');
  await editor.getByRole('button', { name: 'Table' }).click();
  const table = editor.getByRole('region', { name: 'mask as a table' });
  await expect(table.locator('tbody tr')).toHaveCount(8);
  await expect(table.locator('tbody tr').last().locator('td').first()).toHaveText('100 %');
});

test('edits come back after a reload, and can be dropped', async ({ page }) => {
  await open(page, 'n/');
  await page.getByRole('button', { name: 'attention', exact: true }).click();
  await expect(cell(page, 'attention')).toBeVisible();
  await page.reload();
  await expect(cell(page, 'attention')).toBeVisible();
  await page.getByRole('button', { name: 'Drop them' }).click();
  await expect(cell(page, 'attention')).toHaveCount(0);
  await page.reload();
  await expect(page.getByRole('button', { name: 'attention', exact: true })).toBeVisible();
  await expect(cell(page, 'attention')).toHaveCount(0);
});

test('a formula of several lines is pasted, read as it was meant, and taken back', async ({
  page,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const problems = await open(page);
  const editor = cell(page, 'prefill').getByRole('region', { name: 'variant' });
  await editor.getByRole('button', { name: 'Edit as formula' }).click();
  const mask = editor.getByRole('combobox', { name: 'mask' });
  await page.evaluate(() =>
    navigator.clipboard.writeText('0 <= q - k < 100 # a window\n  and\nnot k < 4\n'),
  );
  await mask.focus();
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Control+v');
  await expect(mask).toHaveValue('0 <= q - k < 100 and not k < 4');
  await expect(editor.getByRole('alert')).toHaveCount(0);
  // How it was understood.
  await expect(editor).toContainText('0 <= q - k && q - k < 100 && !(k < 4)');
  await expect(editor.getByRole('img')).toHaveAttribute('aria-label', /about 9/);
  await page.keyboard.press('Control+z');
  await expect(mask).toHaveValue('k <= q');
  await page.keyboard.press('End');
  await page.keyboard.type(' && wh');
  await expect(editor.getByRole('option', { name: 'where(' })).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(mask).toHaveValue('k <= q && where(');
  await expect(editor.getByRole('alert')).toContainText('the bracket is not closed at column 16');
  expect(problems).toEqual([]);
});

test('a very long formula travels in a link', async ({ page, browser }) => {
  await open(page);
  const editor = cell(page, 'prefill').getByRole('region', { name: 'variant' });
  await editor.getByRole('button', { name: 'Edit as formula' }).click();
  const text = Array.from({ length: 21 }, (_, i) => `k == q - ${(i * i) % 997}`).join(' || ');
  await editor.getByRole('combobox', { name: 'mask' }).fill(text);
  await expect(editor.getByRole('alert')).toHaveCount(0);
  await page.getByRole('button', { name: 'Share', exact: true }).click();
  await expect(page.getByTestId('link-length')).toHaveText(/characters: /);
  const link = await page.getByRole('textbox', { name: 'Link', exact: true }).inputValue();
  const other = await (await browser.newContext()).newPage();
  await other.goto(link);
  await expect(
    cell(other, 'prefill').getByRole('region', { name: 'variant' }).getByRole('combobox', {
      name: 'mask',
    }),
  ).toHaveValue(text);
  await other.close();
});
