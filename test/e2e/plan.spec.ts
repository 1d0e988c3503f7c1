import { expect, test } from 'playwright/test';
import { cell, open, openDocument, run, state } from './page-parts';

const planDocument = (params: object) => `---
format: headroom/notebook
version: 1
title: "Plans"
---

\`\`\`cell workload #load
{ "source": { "type": "generator", "lengths": "fixed" } }
\`\`\`

\`\`\`cell serve #serve <- load
{ "strategy": { "type": "sarathi" } }
\`\`\`

\`\`\`cell plan #plans <- serve
${JSON.stringify(params)}
\`\`\`
`;

const QUICK = { accelerators: 2, seeds: 1, refine: 4, screenSeconds: 2, runSeconds: 3 };

test('a plan search draws its front, sorts its plans, and becomes a serve cell', async ({
  page,
}) => {
  const problems = await open(page, 'n/');
  await openDocument(page, planDocument(QUICK));
  await run(page, 'plans');
  const plans = cell(page, 'plans');
  await expect(plans.getByRole('img').first()).toHaveAttribute(
    'aria-label',
    /^goodput per accelerator against energy per token, simulated: \d+ plans, on the Pareto front \d/,
  );
  await expect(plans.locator('svg')).toBeVisible();
  await plans.getByRole('combobox', { name: /against/ }).selectOption('price per million tokens');
  await expect(plans.getByRole('img').first()).toHaveAttribute(
    'aria-label',
    /against price per million/,
  );
  await plans.getByText(/shapes of a replica were left out/).click();
  await expect(plans.getByText(/needs \d+ accelerators of 2/).first()).toBeVisible();

  await plans.getByRole('button', { name: 'Table' }).press('Enter');
  const table = plans.getByRole('region', { name: 'plans of plans' });
  const rows = table.locator('tbody tr');
  expect(await rows.count()).toBeGreaterThan(3);
  await expect(rows.first()).toContainText('chosen');
  await table.getByRole('button', { name: 'joules per token' }).press('Enter');
  await expect(table.getByRole('columnheader', { name: 'joules per token' })).toHaveAttribute(
    'aria-sort',
    'ascending',
  );

  await plans.getByRole('button', { name: 'Use the chosen plan' }).press('Enter');
  await expect(plans.getByText(/is now the serve cell plan-serve/)).toBeVisible();
  await run(page, 'plan-serve');
  await expect(cell(page, 'plan-serve').getByText(/simulated, roofline/)).toBeVisible();

  await page.setViewportSize({ width: 390, height: 844 });
  expect(
    await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
  ).toBeLessThanOrEqual(0);
  expect(problems).toEqual([]);
});

test('a plan search shows what is there while it runs, and is cancelled', async ({ page }) => {
  const problems = await open(page, 'n/');
  await openDocument(page, planDocument({ accelerators: 32, refine: 32, seeds: 5 }));
  const plans = cell(page, 'plans');
  await plans.getByRole('button', { name: /^Run/ }).click();
  const use = plans.getByRole('button', { name: 'Use the chosen plan' });
  await expect(use).toBeDisabled({ timeout: 60_000 });
  await expect(plans.getByText(/one replica of each shape|the best plans in full/)).toBeVisible();
  await plans.getByRole('button', { name: 'Cancel' }).click();
  await expect(state(page, 'plans')).toHaveText(/cancelled/, { timeout: 10_000 });
  expect(problems).toEqual([]);
});
