import { readFile } from 'node:fs/promises';
import { expect, test } from 'playwright/test';
import { cell, open, run } from './page-parts';

test('a drafted text is that of greedy decoding, token by token', async ({ page }) => {
  const problems = await open(page, 'n/');
  await page.getByRole('button', { name: 'speculate' }).click();
  await run(page, 'speculate');
  const speculate = cell(page, 'speculate');
  await expect(speculate).toContainText('identical to greedy decoding');
  const written = speculate.getByRole('region', { name: 'written text' });
  const tokens = written.locator('[data-by=draft], [data-by=model]');
  const count = await tokens.count();
  expect(count).toBeGreaterThan(10);
  const places = speculate.getByRole('region', { name: 'acceptance by place' });
  await expect(places.locator('tbody tr')).toHaveCount(4);
  await expect(speculate.getByRole('img', { name: /^acceptance by place/ })).toBeVisible();

  const rejected = written.getByRole('checkbox', { name: 'show rejected guesses' });
  await rejected.focus();
  await page.keyboard.press('Space');
  await expect(written.locator('s')).toHaveCount(0);

  const download = page.waitForEvent('download');
  await speculate.getByRole('button', { name: 'Export acceptance as JSON' }).click();
  const saved = JSON.parse(await readFile(await (await download).path(), 'utf8'));
  expect(saved).toMatchObject({ format: 'headroom/acceptance', draftTokens: 4 });
  expect(saved.offered).toHaveLength(4);

  await speculate.getByRole('combobox', { name: 'drafter' }).selectOption('draft-full');
  await run(page, 'speculate');
  await expect(speculate).toContainText('identical to greedy decoding');
  await expect(places.getByRole('row', { name: /^1 / })).toContainText('100 %');
  expect(problems).toEqual([]);
});

test('what cannot be written is told in one sentence', async ({ page }) => {
  const problems = await open(page, 'n/');
  await page.getByRole('button', { name: 'speculate' }).click();
  const speculate = cell(page, 'speculate');
  await speculate.getByRole('combobox', { name: 'text' }).selectOption('prompt');
  await speculate.getByRole('textbox', { name: 'prompt' }).first().fill('paris : xyzzy');
  await speculate.getByRole('button', { name: /^Run/ }).click();
  await expect(speculate.getByRole('alert')).toContainText('unknown word: "xyzzy"');
  await speculate.getByRole('textbox', { name: 'prompt' }).first().fill('paris : 42 ; ? paris :');
  await run(page, 'speculate');
  await expect(speculate).toContainText('identical to greedy decoding');
  expect(problems).toEqual([]);
});
