import { expect, test } from 'playwright/test';
import { cell, open, openDocument, run, state } from './page-parts';

const documentOf = (points: number, requests: number) => `---
format: headroom/notebook
version: 1
title: "Goodput against rate"
---

\`\`\`cell workload #load
{ "source": { "type": "generator", "requests": ${requests} } }
\`\`\`

\`\`\`cell serve #serve <- load
{ "strategy": { "type": "sarathi" } }
\`\`\`

\`\`\`cell sweep #rates <- serve
{ "points": ${points}, "seeds": 3, "mostRatePerSecond": 30 }
\`\`\`

\`\`\`cell plot #both <- rates
{ "chart": "attainment-against-rate" }
\`\`\`
`;

test('a sweep draws goodput against rate, and finds the highest rate that holds', async ({
  page,
}) => {
  const problems = await open(page, 'n/');
  await openDocument(page, documentOf(6, 200));
  await run(page, 'rates');
  const rates = cell(page, 'rates');
  await expect(rates.getByRole('img').first()).toHaveAttribute(
    'aria-label',
    /^goodput against rate, simulated: rates: holds the SLO up to [\d.]+ \/s, not at [\d.]+ \/s/,
  );
  await expect(rates.locator('svg')).toBeVisible();
  await rates.getByLabel('show').selectOption('SLO attainment');
  await expect(rates.getByRole('img').first()).toHaveAttribute(
    'aria-label',
    /^SLO attainment against/,
  );
  await rates.getByRole('button', { name: 'Table' }).press('Enter');
  const rows = rates.getByRole('region', { name: 'rates of rates' }).locator('tbody tr');
  expect(await rows.count()).toBeGreaterThan(6);
  await expect(rows.first()).toContainText('holds');
  await expect(rows.last()).toContainText(/misses|unstable/);
  await expect(rates.getByText(/simulated, roofline/)).toBeVisible();
  await expect(
    cell(page, 'both').getByRole('group', {
      name: /^SLO attainment against rate, simulated: rates/,
    }),
  ).toBeVisible();
  await page.setViewportSize({ width: 390, height: 844 });
  expect(
    await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
  ).toBeLessThanOrEqual(0);
  expect(problems).toEqual([]);
});

test('points appear while a sweep runs, and cancel is heard at once', async ({ page }) => {
  const problems = await open(page, 'n/');
  await openDocument(page, documentOf(60, 6000));
  await cell(page, 'rates').getByRole('button', { name: /^Run/ }).click();
  await expect(cell(page, 'rates').locator('svg').first()).toBeVisible();
  await expect(state(page, 'rates')).toHaveText(/running/);
  await expect(cell(page, 'rates').getByText('not yet')).toBeVisible();
  await cell(page, 'rates').getByRole('button', { name: 'Cancel' }).click();
  await expect(state(page, 'rates')).toHaveText(/cancelled/);
  await expect(cell(page, 'rates').getByTestId('partial')).toContainText('the run ended early');
  await expect(cell(page, 'rates').locator('svg').first()).toBeVisible();
  expect(problems).toEqual([]);
});
