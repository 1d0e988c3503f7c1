import { expect, test } from 'playwright/test';
import { open } from './page-parts';

for (const path of ['./', './attention/', './cache/']) {
  test(`${path} opens with its recorded results and no complaint`, async ({ page }) => {
    const problems = await open(page, path);
    await expect(page.getByText(/recorded/).first()).toBeVisible();
    const cells = page.locator('[data-cell]');
    for (const cell of await cells.all()) {
      await expect(cell.locator('[data-state]').first()).toHaveText(/done/);
    }
    expect(problems).toEqual([]);
  });
}
