import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright';
import { BROWSER_FLAGS, findBrowser } from './find-browser.mjs';
import { OUT, ROOT } from './paths.mjs';
import { startStaticServer } from './static-server.mjs';

// `npm run pictures`: the README's pictures, from the built page after a live run.
const folder = `${ROOT}public/pictures/`;
mkdirSync(folder, { recursive: true });
const server = await startStaticServer(OUT);
const browser = await chromium.launch({ executablePath: await findBrowser(), args: BROWSER_FLAGS });
for (const colorScheme of ['light', 'dark']) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 }, colorScheme });
  await page.goto(server.url);
  await page.getByRole('button', { name: /^Run all/ }).click();
  await page.locator('[data-cell=attention-map] canvas').waitFor({ timeout: 120_000 });
  await page.getByText('computing the map').waitFor({ state: 'hidden' });
  await page.waitForTimeout(1500);
  const shot = async (cell, name) => {
    await page.locator(`[data-cell=${cell}]`).scrollIntoViewIfNeeded();
    await page.addStyleTag({ content: 'header { position: static !important }' });
    await page
      .locator(`[data-cell=${cell}]`)
      .screenshot({ path: `${folder}${name}-${colorScheme}.png` });
  };
  await shot('lanes', 'timeline');
  await shot('attention-map', 'map');
  await page.locator('[data-cell=vllm]').scrollIntoViewIfNeeded();
  await page.screenshot({ path: `${folder}strategies-${colorScheme}.png` });
  await page.goto(new URL('attention/', server.url).href);
  await page.getByRole('button', { name: /^Run all/ }).click();
  await page.locator('[data-cell=left-out] canvas').waitFor({ timeout: 120_000 });
  await page.locator('[data-cell=delta] [data-state=done]').waitFor({ timeout: 120_000 });
  await page.waitForTimeout(1500);
  await shot('streaming', 'formula');
  await shot('left-out', 'difference');
  await page.goto(new URL('cache/', server.url).href);
  const hidden = page.locator('[data-cell=hidden]');
  await hidden.getByRole('button', { name: /^Run/ }).click();
  await hidden.locator('[data-state=done]').waitFor({ timeout: 120_000 });
  await page.waitForTimeout(1500);
  await shot('hidden', 'cache');
  await page.close();
}
await browser.close();
await server.close();
