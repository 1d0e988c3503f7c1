import { expect, test } from 'playwright/test';
import { open } from './page-parts';

for (const path of ['./', './attention/', './cache/']) {
  test(`${path} opens with its recorded results and no complaint`, async ({ page }) => {
    const problems = await open(page, path);
    await expect(page.getByText(/recorded/).first()).toBeVisible();
    // Text cells have no state.
    for (const state of await page.locator('[data-cell] [data-state]').all()) {
      await expect(state).toHaveText(/done/);
    }
    expect(problems).toEqual([]);
  });
}
