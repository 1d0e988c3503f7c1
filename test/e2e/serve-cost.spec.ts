import { readFile } from 'node:fs/promises';
import { expect, test } from 'playwright/test';
import { cell, open, openDocument, run } from './page-parts';

const DOCUMENT = [
  '---',
  'title: Cost',
  '---',
  '',
  '```cell workload #load',
  '{"source":{"type":"generator","requests":100}}',
  '```',
  '',
  '```cell serve #s <- load',
  '{"tensorParallel":2,"energy":{"pricePerAcceleratorHour":2}}',
  '```',
  '',
].join('\n');

test('a model transform, speculation and overlap are chosen, explained and run', async ({
  page,
}) => {
  const problems = await open(page);
  await openDocument(page, DOCUMENT);
  const serve = cell(page, 's');
  const box = (name: string) => serve.getByRole('combobox', { name, exact: true });
  await run(page, 's');
  await expect(serve).toContainText(/J\/token/);
  await expect(serve).toContainText('per million tokens');

  await box('model transform').selectOption('swiftkv');
  await expect(serve).toContainText('Prompt tokens go through half of the layers');
  await box('speculation').selectOption('draft');
  await expect(serve).toContainText('2.77 tokens a step from 4 drafted');
  await box('overlap').selectOption('token-split');
  await expect(serve).toContainText('runs under the compute of the other');
  await run(page, 's');
  await expect(serve).toContainText('SwiftKV');

  // Own multipliers start from the method that was chosen.
  await box('model transform').selectOption('vector');
  await serve.getByText('Parameters', { exact: true }).click();
  await expect(serve.getByLabel('prefill flops')).toHaveValue('0.5');
  expect(problems).toEqual([]);
});

test('acceptances measured on the model in the page drive the simulation', async ({ page }) => {
  const problems = await open(page);
  await openDocument(page, `${DOCUMENT}\n\`\`\`cell speculate #written\n{}\n\`\`\`\n`);
  const serve = cell(page, 's');
  const box = (name: string) => serve.getByRole('combobox', { name, exact: true });
  await box('speculation').selectOption('draft');
  await expect(serve).toContainText('each drafted token is accepted with 70 %');
  await expect(box('acceptances').getByRole('option', { name: /written/ })).toBeDisabled();

  await run(page, 'written');
  const download = page.waitForEvent('download');
  await cell(page, 'written').getByRole('button', { name: 'Export acceptance as JSON' }).click();
  const saved = await readFile(await (await download).path());
  await box('acceptances').selectOption('written');
  await expect(serve).toContainText(/accepted by place, if all before were, .*: [\d.]+ %/);
  await expect(serve).toContainText('cell written: n-gram lookup (n up to 3) on recall model');
  // Lookup calls no model.
  await expect(serve).toContainText('a drafted token costs 0 % of a decode step');
  await run(page, 's');
  const ofCell = await serve.getByText(/tokens a step from 4 drafted/).textContent();

  // Another drafter gives other figures, which wait to be taken.
  await cell(page, 'written').getByRole('combobox', { name: 'drafter' }).selectOption('draft-full');
  await run(page, 'written');
  await expect(serve).toContainText('the cell has other figures now');
  await serve.getByRole('button', { name: 'Take them' }).click();
  await expect(serve).toContainText('a drafted token costs 100 % of a decode step');
  await expect(serve).not.toContainText('other figures now');

  await box('acceptances').selectOption('chosen');
  await expect(serve).toContainText('each drafted token is accepted with 70 %');
  await serve.getByLabel('acceptance.json').setInputFiles({
    name: 'acceptance.json',
    mimeType: 'application/json',
    buffer: saved,
  });
  await expect(serve).toContainText('acceptance.json: n-gram lookup (n up to 3) on recall model');
  expect(await serve.getByText(/tokens a step from 4 drafted/).textContent()).toBe(ofCell);
  await serve.getByLabel('acceptance.json').setInputFiles({
    name: 'other.json',
    mimeType: 'application/json',
    buffer: Buffer.from('{}'),
  });
  await expect(serve.getByRole('alert')).toContainText('other.json is not the acceptance.json');
  expect(problems).toEqual([]);
});

test('the choices fit a narrow page', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 800 });
  await open(page);
  await openDocument(page, DOCUMENT);
  await cell(page, 's')
    .getByRole('combobox', { name: 'model transform', exact: true })
    .selectOption('lserve');
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(width).toBeLessThanOrEqual(390);
});
