import { expect, test } from 'playwright/test';
import { open } from './page-parts';

for (const path of ['./', './attention/', './cache/']) {
  test(`${path} opens with its recorded results and no complaint`, async ({ page }) => {
    const problems = await open(page, path);
    await expect(page.getByText(/recorded/).first()).toBeVisible();
    for (const cell of await page.locator('[data-cell]').all()) {
      const states = cell.locator('[data-state]');
      // Text cells have no state.
      if ((await states.count()) > 0) await expect(states.first()).toHaveText(/done/);
    }
    expect(problems).toEqual([]);
  });
}
