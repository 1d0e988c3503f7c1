import { readFileSync } from 'node:fs';
import { expect, test } from 'playwright/test';
import { cell, open, openDocument, run } from './page-parts';

const DOCUMENT = [
  '---',
  'title: Seeing',
  '---',
  '',
  '```cell workload #load',
  '{"source":{"type":"generator","requests":200,"ratePerSecond":8}}',
  '```',
  '',
  '```cell serve #a <- load',
  '{"strategy":{"type":"vllm","maxSequences":24}}',
  '```',
  '',
  '```cell serve #pools <- load',
  '{"strategy":{"type":"composed","name":"pools","topology":{"type":"pools","linkGigabytesPerSecond":4}}}',
  '```',
  '',
  '```cell timeline #lanes <- a pools',
  '{}',
  '```',
  '',
].join('\n');

test('a request says why it waited, phase by phase, with the keyboard', async ({ page }) => {
  const problems = await open(page);
  await openDocument(page, DOCUMENT);
  await run(page, 'a');
  await run(page, 'pools');
  const lanes = cell(page, 'lanes');
  const timeline = lanes.getByRole('application', { name: /^Timeline/ });
  await timeline.focus();
  await page.keyboard.press('/');
  const field = lanes.getByRole('spinbutton', { name: 'request' });
  await expect(field).toBeFocused();
  await field.fill('150');
  await page.keyboard.press('Enter');
  const summary = lanes.getByTestId('trace-summary');
  await expect(summary).toHaveText(/^a: request 150 took .*waited longest for: no seat free/);

  const strip = lanes.getByRole('application', { name: /^request 150/ });
  await strip.focus();
  await page.keyboard.press('Home');
  const phase = lanes.getByTestId('trace-phase');
  await expect(phase).toHaveText(/^phase 1 of \d+, .* 0 s after arrival/);
  await page.keyboard.press('ArrowRight');
  await expect(phase).toHaveText(/because all 24 seats are taken/);
  await page.keyboard.press('End');
  await expect(phase).toHaveText(/decodes \d+ tokens? in a batch of/);

  await lanes.getByRole('button', { name: 'Table' }).click();
  const table = lanes.getByRole('region', { name: 'phases of request 150' });
  await expect(table).toContainText('all 24 seats are taken');
  const download = page.waitForEvent('download');
  await lanes.getByRole('button', { name: 'Phases as CSV' }).click();
  const rows = readFileSync(await (await download).path(), 'utf8')
    .trim()
    .split('\r\n')
    .slice(1);
  const seconds = rows.map((row) => row.split(',').map(Number));
  const sum = seconds.reduce((total, [, duration]) => total + (duration ?? 0), 0);
  const last = seconds.at(-1) as number[];
  expect(sum).toBeCloseTo((last[0] ?? 0) + (last[1] ?? 0) - (seconds[0]?.[0] ?? 0), 9);
  expect(problems).toEqual([]);
});

test('a request is found at the cursor, and its transfer shows', async ({ page }) => {
  await open(page);
  await openDocument(page, DOCUMENT);
  await run(page, 'pools');
  const lanes = cell(page, 'lanes');
  const timeline = lanes.getByRole('application', { name: /^Timeline/ });
  await timeline.focus();
  await page.keyboard.press('ArrowDown');
  for (let i = 0; i < 30; i++) await page.keyboard.press('.');
  const here = lanes.getByRole('list', { name: 'requests at the cursor' });
  await here.getByRole('button').first().click();
  await expect(lanes.getByTestId('trace-summary')).toHaveText(/^pools: request \d+ took/);
  await expect(lanes.getByRole('list').filter({ hasText: 'transfer' }).first()).toBeVisible();

  await timeline.focus();
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Shift+ArrowRight');
  await expect(lanes.getByRole('region', { name: 'aggregates' })).toContainText('selected');
  await expect(lanes.getByRole('columnheader', { name: 'mean batch' })).toBeVisible();
});

test('the reasons of every request are saved, or as many as there is time for', async ({
  page,
}) => {
  await open(page);
  await openDocument(page, DOCUMENT);
  await run(page, 'a');
  const lanes = cell(page, 'lanes');
  const all = lanes.getByRole('button', { name: /^Reasons of all as CSV \(about/ });
  const download = page.waitForEvent('download');
  await all.press('Enter');
  const text = readFileSync(await (await download).path(), 'utf8');
  const rows = text.trim().split('\r\n').slice(1);
  expect(new Set(rows.map((row) => row.split(',', 1)[0])).size).toBe(200);
  await expect(lanes.getByText('reasons of all 200 requests saved')).toBeVisible();
});

test('two runs of one trace are held against each other', async ({ page }) => {
  const problems = await open(page);
  const compare = '```cell compare #ab <- a pools\n{}\n```\n';
  await openDocument(page, `${DOCUMENT}${compare}`);
  const ab = cell(page, 'ab');
  await expect(ab).toContainText('run a, pools to compare');
  await run(page, 'a');
  await run(page, 'pools');
  await expect(ab.getByTestId('compare-answer')).toHaveText(
    /time to first token, pools against a: \d+ requests gain, \d+ lose/,
  );
  const one = ab.getByRole('region', { name: 'requests one by one' });
  await expect(one.locator('tbody tr')).toHaveCount(50);
  await expect(one.locator('tbody tr').first().locator('td').last()).toHaveText(/^\+/);
  await ab.getByRole('combobox', { name: 'measure' }).selectOption('e2e');
  await expect(ab.getByTestId('compare-answer')).toHaveText(/^end to end/);
  await expect(ab.getByRole('img', { name: /end to end of \d+ requests/ })).toBeVisible();
  await ab.getByRole('combobox', { name: 'requests', exact: true }).selectOption('gained');
  await expect(one.locator('tbody tr').first().locator('td').last()).toHaveText(/^−|^-/);
  expect(problems).toEqual([]);
});

test('runs of two loads are not compared', async ({ page }) => {
  await open(page);
  await openDocument(
    page,
    [
      '```cell workload #one',
      '{"source":{"type":"generator","requests":50}}',
      '```',
      '```cell workload #two',
      '{"source":{"type":"generator","requests":60}}',
      '```',
      '```cell serve #x <- one',
      '{}',
      '```',
      '```cell serve #y <- two',
      '{}',
      '```',
      '```cell compare #xy <- x y',
      '{}',
      '```',
      '',
    ].join('\n'),
  );
  await run(page, 'x');
  await run(page, 'y');
  await expect(cell(page, 'xy').getByRole('alert')).toHaveText(
    /not of one trace: x has 50 requests, y has 60: give both serve cells the same workload/,
  );
});

test('traces and comparisons fit a narrow page', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 800 });
  await open(page);
  await openDocument(page, `${DOCUMENT}${'```cell compare #ab <- a pools\n{}\n```\n'}`);
  await run(page, 'a');
  await run(page, 'pools');
  const lanes = cell(page, 'lanes');
  await lanes.getByRole('combobox', { name: /^or the one/ }).selectOption('slowest first token');
  await expect(lanes.getByTestId('trace-summary')).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
});
