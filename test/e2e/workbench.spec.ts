import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { expect, test } from 'playwright/test';
import { cell, chooseEngine, open, state } from './page-parts';

test('opens a ready experiment and runs three strategies that differ', async ({ page }) => {
  const problems = await open(page);
  await expect(page.getByLabel('Notebook title')).toHaveValue('Why split prefill and decode?');
  for (const id of ['vllm', 'sarathi', 'distserve']) {
    await cell(page, id).getByRole('button', { name: /^Run/ }).click();
    await expect(state(page, id)).toHaveText(/done/);
  }
  await expect(state(page, 'load')).toHaveText(/done/);
  const attainment = async (id: string) => cell(page, id).locator('dd').first().innerText();
  expect(await attainment('vllm')).toContain('misses 90 %');
  expect(await attainment('distserve')).toContain('attains 90 %');
  await expect(cell(page, 'compare').locator('tbody tr')).toHaveCount(3);
  await expect(cell(page, 'gaps').locator('g[aria-label=line] path')).toHaveCount(3);
  await expect(
    cell(page, 'distserve')
      .getByText(/fitted, opt-13b on A100/)
      .first(),
  ).toBeVisible();
  expect(problems).toEqual([]);
});

test('runs attention as a WebGPU kernel within tolerance, and reads its map', async ({ page }) => {
  const problems = await open(page);
  await chooseEngine(page, 'prefill', 'webgpu');
  await cell(page, 'prefill').getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, 'prefill')).toHaveText(/done/, { timeout: 90_000 });
  await expect(
    cell(page, 'prefill')
      .getByText(/WebGPU on/)
      .first(),
  ).toBeVisible();
  await expect(cell(page, 'prefill').locator('[data-tone=good]').first()).toContainText('within');
  const map = cell(page, 'attention-map').getByRole('application');
  await map.focus();
  await page.keyboard.press('ArrowRight');
  const readout = page.getByTestId('map-readout');
  await expect(readout).toHaveText(/query 512, key 513: masked/);
  await page.keyboard.press('Shift+ArrowLeft');
  await expect(readout).toHaveText(/query 512, key 497: [\d.e-]+$/);
  for (let i = 0; i < 8; i++) await page.keyboard.press('+');
  await expect(
    cell(page, 'attention-map').getByText('exact values', { exact: false }),
  ).toBeVisible();
  await cell(page, 'attention-map').getByRole('button', { name: 'Table' }).click();
  await expect(cell(page, 'attention-map').locator('tbody td').first()).toHaveText(/masked|\d/);
  expect(problems).toEqual([]);
});

test('refuses a bad number with a sentence and keeps the document', async ({ page }) => {
  await open(page);
  await cell(page, 'sarathi').getByText('Parameters').click();
  const budget = cell(page, 'sarathi').getByLabel('token budget');
  await budget.fill('0');
  await expect(cell(page, 'sarathi').getByRole('alert')).toHaveText(
    'invalid tokenBudget: 0 (expected 1..8192)',
  );
  await budget.fill('many');
  await expect(cell(page, 'sarathi').getByRole('alert')).toHaveText('invalid number: "many"');
  await budget.fill('256');
  await expect(cell(page, 'sarathi').getByRole('alert')).toHaveCount(0);
});

test('marks results stale after an edit, and undo brings them back', async ({ page }) => {
  await open(page);
  await cell(page, 'vllm').getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, 'vllm')).toHaveText(/done/);
  const before = await cell(page, 'vllm').locator('dl').first().innerText();
  await cell(page, 'load').getByText('Parameters').click();
  await cell(page, 'load').getByLabel('rate (/s)', { exact: true }).fill('9');
  await expect(cell(page, 'vllm').locator('dl').first()).not.toHaveText(before, {
    timeout: 20_000,
  });
  await page.getByRole('heading', { name: 'Three arrangements of three GPUs' }).click();
  for (let i = 0; i < 1; i++) await page.keyboard.press('Control+z');
  await expect(cell(page, 'load').getByLabel('rate (/s)', { exact: true })).toHaveValue('17');
  await expect(cell(page, 'vllm').locator('dl').first()).toHaveText(before, { useInnerText: true });
});

test('a link reopens the same experiment with the same numbers', async ({ page, context }) => {
  await open(page);
  await cell(page, 'distserve').getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, 'distserve')).toHaveText(/done/);
  const numbers = await cell(page, 'distserve').locator('dl').first().innerText();
  await page.getByRole('button', { name: 'Share', exact: true }).click();
  await expect(page.getByTestId('link-length')).toHaveText(/characters: /);
  const link = await page.getByRole('textbox', { name: 'Link', exact: true }).inputValue();
  expect(link).toMatch(/\/n\/#1\.[A-Za-z0-9_-]+$/);
  const other = await context.newPage();
  await other.goto(link);
  await expect(other.getByText('Nothing has run', { exact: false })).toBeVisible();
  await expect(state(other, 'distserve')).toHaveText(/idle|stale/);
  await cell(other, 'distserve').getByRole('button', { name: /^Run/ }).click();
  await expect(state(other, 'distserve')).toHaveText(/done/);
  expect(await cell(other, 'distserve').locator('dl').first().innerText()).toBe(numbers);
});

test.describe('links that cannot be opened', () => {
  const golden = readFileSync(new URL('../links/v1.txt', import.meta.url), 'utf8').trim();
  const pack = (text: string) => `#1.${deflateSync(text).toString('base64url')}`;
  for (const [name, fragment, message] of [
    ['truncated', golden.slice(0, 102), /truncated or damaged: 101 characters arrived/],
    ['newer codec', '#7.abc', /codec 7/],
    ['newer version', pack('{"version":8}'), /version 8/],
    ['hostile', pack('{"cells":[{"__proto__":1}]}'), /__proto__/],
    [
      'invalid',
      pack('{"version":1,"cells":[{"id":"s","kind":"serve","params":{"tensorParallel":0}}]}'),
      /invalid tensorParallel: 0 \(expected 1..16\)/,
    ],
  ] as const) {
    test(name, async ({ page }) => {
      await open(page, `n/${fragment}`);
      await expect(page.getByRole('heading', { name: 'This link cannot be opened' })).toBeVisible();
      await expect(page.getByText(message).first()).toBeVisible();
      await expect(page.locator('[data-cell]')).toHaveCount(0);
    });
  }
  test('the golden link opens', async ({ page }) => {
    await open(page, `n/${golden}`);
    await expect(page.locator('[data-cell]')).toHaveCount(11);
  });
});

test('a bad file is explained by line, a good one loads', async ({ page }) => {
  await open(page);
  const input = page.locator('header input[type=file]');
  const bad = '```cell serve #s\n{"tensorParallel": 99}\n```\n';
  await input.setInputFiles({
    name: 'bad.md',
    mimeType: 'text/markdown',
    buffer: Buffer.from(bad),
  });
  await expect(
    page.getByText(
      'line 1: invalid tensorParallel: 99 (expected 1..16) at cells[0].params.tensorParallel',
    ),
  ).toBeVisible();
  await expect(cell(page, 'vllm')).toBeVisible();
  await input.setInputFiles({
    name: 'good.md',
    mimeType: 'text/markdown',
    buffer: Buffer.from('Hello *there*.\n'),
  });
  await expect(page.getByText('Hello there.')).toBeVisible();
  await expect(page.locator('[data-cell]')).toHaveCount(1);
});

test('a workload file is read, and a wrong one named by line', async ({ page }) => {
  await open(page, 'n/');
  await page.getByRole('button', { name: 'workload' }).click();
  await cell(page, 'workload').getByText('Parameters').click();
  await cell(page, 'workload').getByLabel('type').selectOption('azure-csv');
  const file = cell(page, 'workload').locator('input[type=file]');
  const rows = (tokens: string) =>
    Buffer.from(
      `TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.68,374,44\n2023-11-16 18:15:50.99,${tokens},109\n`,
    );
  await file.setInputFiles({ name: 'bad.csv', mimeType: 'text/csv', buffer: rows('abc') });
  await cell(page, 'workload').getByRole('button', { name: /^Run/ }).click();
  await expect(
    cell(page, 'workload').getByText('line 3: invalid ContextTokens: "abc"', { exact: false }),
  ).toBeVisible();
  await file.setInputFiles({ name: 'good.csv', mimeType: 'text/csv', buffer: rows('396') });
  await cell(page, 'workload').getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, 'workload')).toHaveText(/done/);
});

test('works by keyboard alone', async ({ page }) => {
  await open(page);
  // The page may still be attaching its keys when the first cell is there.
  await expect(async () => {
    await page.keyboard.press('k');
    await expect(cell(page, 'intro')).toBeFocused({ timeout: 500 });
  }).toPass();
  await page.keyboard.press('j');
  await expect(cell(page, 'load')).toBeFocused();
  await page.keyboard.press('Control+Enter');
  await expect(state(page, 'load')).toHaveText(/done/);
  await page.keyboard.press('?');
  await expect(page.getByRole('heading', { name: 'Keyboard' })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+k');
  await page.keyboard.type('add a text');
  await page.keyboard.press('Enter');
  await expect(cell(page, 'text')).toBeVisible();
  await page.keyboard.press('Control+Shift+c');
  await expect(page.getByRole('heading', { name: 'Share this experiment' })).toBeVisible();
});

test('the timeline steps by keyboard and tells what is there', async ({ page }) => {
  await open(page);
  await cell(page, 'vllm').getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, 'vllm')).toHaveText(/done/);
  const timeline = cell(page, 'lanes').getByRole('application');
  await timeline.focus();
  await page.keyboard.press('.');
  await page.keyboard.press('.');
  await expect(page.getByTestId('timeline-cursor')).toHaveText(
    /vLLM replica 0, iteration 1, at .* prefill tokens, \d+ decodes, queue \d+, KV/,
  );
  const download = page.waitForEvent('download');
  await cell(page, 'lanes').getByRole('button', { name: 'Trace vllm' }).click();
  const trace = JSON.parse(readFileSync(await (await download).path(), 'utf8'));
  expect(
    trace.traceEvents.filter((event: { ph: string }) => event.ph === 'X').length,
  ).toBeGreaterThan(100);
  expect(trace.metadata.simulated).toBe(true);
});

test('without WebGPU the attention cell runs in WebAssembly and says so', async ({ page }) => {
  // The page and its workers alike: every script begins by taking the property away.
  await page.route(/\.js(\?.*)?$/, async (route) => {
    const response = await route.fetch();
    const body = await response.text();
    const guard =
      'try{Object.defineProperty(Object.getPrototypeOf(navigator),"gpu",{get:()=>undefined})}catch{};';
    await route.fulfill({ response, body: guard + body });
  });
  await open(
    page,
    `n/#1.${deflateSync('{"version":1,"cells":[{"id":"a","kind":"attention","params":{"shape":{"queries":64,"keys":64}}}]}').toString('base64url')}`,
  );
  await cell(page, 'a').getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, 'a')).toHaveText(/done/, { timeout: 60_000 });
  await expect(
    cell(page, 'a')
      .getByText(/WebAssembly on the CPU/)
      .first(),
  ).toBeVisible();
});

test('does not overflow at 390 px, in light and dark', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await open(page);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
  }
});

test('the theme button goes through system, light and dark, and is remembered', async ({
  page,
}) => {
  await open(page);
  await page.getByRole('button', { name: 'Theme' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');
  await page.getByRole('button', { name: 'Theme' }).click();
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});

test('is served isolated, with a policy that forbids eval', async ({ page }) => {
  const response = await page.goto('./');
  const policy = response?.headers()['content-security-policy'] ?? '';
  expect(policy).toContain("script-src 'self' 'sha256-");
  expect(policy).not.toContain('unsafe-eval');
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
});

test('works under a sub-path', async ({ page }) => {
  const url = process.env.HEADROOM_SUB_PATH_URL;
  test.skip(url === undefined, 'HEADROOM_SUB_PATH_URL is not set: run npm test');
  const problems = await open(page, url);
  await cell(page, 'load').getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, 'load')).toHaveText(/done/);
  await page.getByRole('button', { name: 'Share', exact: true }).click();
  await expect(page.getByRole('textbox', { name: 'Link', exact: true })).toHaveValue(
    /\/headroom\/n\/#1\./,
  );
  expect(problems).toEqual([]);
});
