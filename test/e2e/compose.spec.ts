import { expect, test } from 'playwright/test';
import { cell, open, state } from './page-parts';

test('a composition is chosen from the presets, run and read', async ({ page }) => {
  const problems = await open(page, 'n/');
  await page.getByRole('button', { name: 'compose' }).click();
  const compose = cell(page, 'compose');
  const preset = compose.getByLabel('preset');
  await expect(preset).toHaveValue('own');
  await preset.selectOption({ label: 'streaming + full tiers' });
  await expect(compose).toContainText('join exactly by log-sum-exp');
  // By keyboard from here on.
  await compose.getByRole('button', { name: /^Run/ }).focus();
  await page.keyboard.press('Enter');
  await expect(state(page, 'compose')).toHaveText(/done/, { timeout: 60_000 });
  await expect(compose.locator('[data-tone=good]').first()).toContainText('within');
  await expect(compose).toContainText('merge of the parts = one call over their keys');
  const calls = compose.getByRole('region', { name: 'calls' });
  await expect(calls.locator('tbody tr')).toHaveCount(2);
  await expect(calls.getByRole('row', { name: /the rest/ })).toContainText('%');
  await expect(calls.getByRole('columnheader', { name: 'of the roof' })).toBeVisible();
  const mass = compose.getByRole('region', { name: 'mass by query' });
  await expect(mass.locator('svg[aria-label*="the rest"]')).toBeVisible();
  await mass.getByRole('button', { name: 'Table' }).focus();
  await page.keyboard.press('Enter');
  await expect(mass.getByRole('table')).toContainText('100 %');
  await expect(compose.getByRole('region', { name: 'cache' })).toContainText('GQA, 2 KV heads');
  expect(problems).toEqual([]);
});

test('classes of heads show what each keeps', async ({ page }) => {
  const problems = await open(page, 'n/');
  await page.getByRole('button', { name: 'compose' }).click();
  const compose = cell(page, 'compose');
  await compose
    .getByLabel('preset')
    .selectOption({ label: 'retrieval and streaming heads (DuoAttention)' });
  await compose.getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, 'compose')).toHaveText(/done/, { timeout: 60_000 });
  const heads = compose.getByRole('region', { name: 'heads' });
  await expect(heads.locator('tbody tr')).toHaveCount(8);
  await expect(heads.getByRole('row', { name: /retrieval/ })).toHaveCount(4);
  await expect(heads.getByRole('row', { name: /streaming/ }).first()).toContainText('31.3 %');
  expect(problems).toEqual([]);
});

test('parts are added, renamed, masked and refused where they overlap', async ({ page }) => {
  await open(page, 'n/');
  await page.getByRole('button', { name: 'compose' }).click();
  const compose = cell(page, 'compose');
  await compose.getByText('Parameters').click();
  const parts = compose.getByRole('group', { name: 'parts', exact: true });
  await parts.getByRole('button', { name: 'Add a part' }).click();
  await expect(parts.getByLabel('name')).toHaveCount(3);
  await expect(parts.getByLabel('name').nth(2)).toHaveValue('older 2');
  await expect(compose.getByLabel('preset')).toHaveValue('own');
  // Another name than one that is taken; the document does not change before.
  await parts.getByLabel('name').nth(2).fill('older');
  await expect(parts.getByRole('alert')).toContainText('a name that no other part has');
  await parts.getByLabel('name').nth(2).fill('first');
  await compose.getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, 'compose')).toHaveText(/failed/, { timeout: 60_000 });
  await expect(compose.getByRole('alert').first()).toContainText(
    'overlapping parts: "older" and "first" both see key 0 of query 256',
  );
  await parts.getByRole('button', { name: 'remove part 3' }).click();
  await compose.getByText('part older').click();
  const variant = compose.getByRole('region', { name: 'variant' });
  await expect(variant.getByRole('combobox', { name: 'mask' })).toHaveValue('q - k >= window');
  // A gate takes two parts, a latent only one: the form says so and stays.
  const rule = compose.getByRole('group', { name: 'rule' });
  await rule.getByLabel('type').first().selectOption('latent');
  await expect(rule.getByRole('alert')).toContainText('expected 1 for rule latent');
  await rule.getByLabel('type').first().selectOption('gate');
  await expect(rule.getByRole('group', { name: 'gates' })).toBeVisible();
});
