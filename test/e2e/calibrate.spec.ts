import { expect, type Page, test } from 'playwright/test';
import { iterationProfile, madeUpLog } from '../unit/serving/made-up-log';
import { MADE_UP, madeUpProfile } from '../unit/serving/made-up-profile';

const chosen = (files: Readonly<Record<string, string>>) =>
  Object.entries(files).map(([name, content]) => ({
    name,
    mimeType: 'text/plain',
    buffer: Buffer.from(content),
  }));

async function openPage(page: Page): Promise<string[]> {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.goto('how-right/');
  return problems;
}

/** Drops files on the field, as a hand would. */
async function dropFiles(page: Page, files: Readonly<Record<string, string>>): Promise<void> {
  const transfer = await page.evaluateHandle((texts) => {
    const data = new DataTransfer();
    for (const [name, text] of Object.entries(texts)) data.items.add(new File([text], name));
    return data;
  }, files);
  await page
    .getByRole('group', { name: 'Measurements' })
    .dispatchEvent('drop', { dataTransfer: transfer });
}

test('dropped tables become a profile, and the profile a serve cell', async ({ page }) => {
  const problems = await openPage(page);
  const button = page.getByRole('button', { name: 'Fit a profile' });
  await expect(button).toBeDisabled();
  await dropFiles(page, madeUpProfile());
  await button.press('Enter');
  const report = page.getByRole('region', { name: 'fitted profile' });
  const costs = report.getByRole('region', { name: 'coefficients of the profile' });
  await expect(
    costs.getByRole('row', { name: /^gate and up projection base/ }).first(),
  ).toContainText(String(MADE_UP.dense.gate_up_proj[0]));
  await expect(report.locator('figure svg')).toHaveCount(1);
  await report.getByLabel('show').selectOption('decode attention');
  await report.getByRole('button', { name: 'Table' }).press('Enter');
  const rows = report.getByRole('region', { name: /^decode attention: fitted against measured/ });
  await expect(rows.getByRole('row')).toHaveCount(17);
  const download = page.waitForEvent('download');
  await report.getByRole('button', { name: 'Save the profile' }).press('Enter');
  expect((await download).suggestedFilename()).toBe('profile.json');
  await page.setViewportSize({ width: 390, height: 844 });
  expect(
    await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
  ).toBeLessThanOrEqual(0);
  await page.setViewportSize({ width: 1280, height: 800 });
  await report.getByRole('link', { name: 'Use it in a serve cell' }).press('Enter');
  await expect(page.getByRole('heading', { name: 'Serving on a fitted profile' })).toBeVisible();
  await page.getByRole('button', { name: /^Run all/ }).click();
  await expect(page.getByText(/fitted profile, Llama 3.1 8B/).first()).toBeVisible({
    timeout: 30_000,
  });
  expect(problems).toEqual([]);
});

test('a log is fitted with progress, and what cannot be is said in a sentence', async ({
  page,
}) => {
  const problems = await openPage(page);
  const choose = page.getByLabel('Measurements: choose files');
  const button = page.getByRole('button', { name: 'Fit a profile' });
  await choose.setInputFiles(chosen({ 'dense.csv': 'layer,tokens,ms\nqkv_proj,1,2\n' }));
  await button.press('Enter');
  await expect(page.getByRole('alert').filter({ hasText: 'missing' })).toContainText(
    'missing per_sequence.csv, attention.csv',
  );
  await choose.setInputFiles(chosen({ 'mine.csv': 'when,what\n1,2\n' }));
  await button.press('Enter');
  await expect(page.getByRole('alert').filter({ hasText: 'mine.csv' })).toContainText(
    'mine.csv: the columns when,what are of no table that can be fitted',
  );
  await choose.setInputFiles(
    chosen({ 'log.jsonl': madeUpLog(iterationProfile([9000, 40, 0, 150, 0.2]), 60, 3) }),
  );
  await page.getByLabel('sequences', { exact: true }).fill('32');
  await page.getByLabel('tokens of a step').fill('512');
  await button.press('Enter');
  const report = page.getByRole('region', { name: 'fitted profile' });
  await expect(report.getByText('of a whole iteration')).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole('alert').filter({ hasText: 'mine.csv' })).toHaveCount(0);
  expect(problems).toEqual([]);
});
