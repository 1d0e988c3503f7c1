import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from 'playwright/test';
import { open } from './page-parts';

const PAGES = ['', 'attention/', 'cache/', 'how-right/'];

/** Opens a page with all that it folds, since nothing is found in what has no box. */
async function openUnfolded(page: Page, path: string): Promise<void> {
  if (path === 'how-right/') await page.goto(path);
  else await open(page, path);
  await page.locator('main :is(canvas, svg, h2)').first().waitFor();
  await page.waitForLoadState('networkidle');
  await page.evaluate(() => {
    for (const folded of document.querySelectorAll('details')) {
      // One form of parameters is like another; the first is enough.
      const isForm = folded.querySelector('summary')?.textContent === 'Parameters';
      if (!isForm || folded.closest('[data-cell]:nth-child(2)') !== null) folded.open = true;
    }
  });
}

function findings(violations: Awaited<ReturnType<AxeBuilder['analyze']>>['violations']): string[] {
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} at ${target.join(' ')}: ${failureSummary}`),
  );
}

for (const path of PAGES) {
  test(`axe finds nothing on /${path}`, async ({ page }) => {
    test.setTimeout(300_000);
    await page.emulateMedia({ colorScheme: 'light' });
    await openUnfolded(page, path);
    const light = await new AxeBuilder({ page }).options({ resultTypes: ['violations'] }).analyze();
    expect(findings(light.violations)).toEqual([]);
    // Both themes have one structure: only colours can differ.
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await new AxeBuilder({ page })
      .options({ resultTypes: ['violations'] })
      .withRules(['color-contrast'])
      .analyze();
    expect(findings(dark.violations)).toEqual([]);
  });
}
