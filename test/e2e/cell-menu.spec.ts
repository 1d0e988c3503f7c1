import { expect, type Page, test } from 'playwright/test';
import { cell, open, openDocument } from './page-parts';

const DOCUMENT = `---
format: headroom/notebook
version: 1
title: "Menu"
---

<!-- text #one -->
first

\`\`\`cell workload #load
{}
\`\`\`

\`\`\`cell serve #gaps <- load
{}
\`\`\`

<!-- text #last -->
last
`;

const ids = (page: Page) =>
  page
    .locator('[data-cell]')
    .evaluateAll((cells) => cells.map((each) => each.getAttribute('data-cell')));
const focused = (page: Page) =>
  page.evaluate(() => document.activeElement?.getAttribute('data-cell'));

async function choose(page: Page, id: string, item: string): Promise<void> {
  await cell(page, id).hover();
  await cell(page, id).getByLabel(`more for ${id}`).click();
  await cell(page, id).getByRole('button', { name: item }).click();
}

test('moving, copying and deleting leave the focus on a cell', async ({ page }) => {
  const problems = await open(page);
  await openDocument(page, DOCUMENT);
  await expect(page.getByLabel('Notebook title')).toHaveValue('Menu');
  await choose(page, 'one', 'Move down');
  expect((await ids(page)).slice(0, 2)).toEqual(['load', 'one']);
  expect(await focused(page)).toBe('one');
  await choose(page, 'one', 'Duplicate');
  expect(await focused(page)).toBe('one-copy');
  await choose(page, 'one-copy', 'Delete');
  expect(await focused(page)).toBe('gaps');
  await choose(page, 'last', 'Delete');
  expect(await focused(page)).toBe('gaps');
  // What has lost its only input goes with it.
  await choose(page, 'load', 'Delete');
  expect(await ids(page)).toEqual(['one']);
  expect(await focused(page)).toBe('one');
  expect(problems).toEqual([]);
});

test('Escape, a click elsewhere and leaving it close the menu of a cell', async ({ page }) => {
  await open(page);
  await openDocument(page, DOCUMENT);
  const menu = cell(page, 'load').getByLabel('more for load');
  const item = cell(page, 'load').getByRole('button', { name: 'Duplicate' });
  await menu.click();
  await expect(item).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(item).toBeHidden();
  await expect(menu).toBeFocused();
  await menu.click();
  await page.getByLabel('Notebook title').click();
  await expect(item).toBeHidden();
  await menu.focus();
  await page.keyboard.press('Enter');
  await expect(item).toBeVisible();
  await page.keyboard.press('Shift+Tab');
  await expect(item).toBeHidden();
});
