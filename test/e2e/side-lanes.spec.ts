import { readFileSync } from 'node:fs';
import { expect, test } from 'playwright/test';
import { cell, open, openDocument, run } from './page-parts';

const fence = (head: string, body: object) => [
  `\`\`\`cell ${head}`,
  JSON.stringify(body),
  '```',
  '',
];
const level = { scope: 'shared', name: 'DRAM', capacityGigabytes: 64 };
const DOCUMENT = [
  '---',
  'title: Side lanes',
  '---',
  '',
  ...fence('workload #chats', {
    source: {
      type: 'synthetic',
      requests: 80,
      lengths: { model: 'fixed', promptTokens: 600, outputTokens: 40 },
      program: { type: 'chat', turnsMean: 4, gap: { shape: 'exponential', meanSeconds: 3 } },
    },
  }),
  ...fence('serve #stored <- chats', {
    strategy: {
      type: 'composed',
      name: 'stored',
      topology: { type: 'pools', linkGigabytesPerSecond: 4 },
      prefixIndex: { type: 'block-hash' },
      tierStore: {
        type: 'tiers',
        load: 'always',
        overlap: 'none',
        levels: [{ ...level, readGigabytesPerSecond: 8, writeGigabytesPerSecond: 8 }],
      },
    },
    memory: { kvBlocks: 400 },
  }),
  ...fence('serve #shared <- chats', {
    strategy: {
      type: 'composed',
      name: 'shared',
      partition: { type: 'slo-feedback' },
      prefixIndex: { type: 'block-hash' },
    },
  }),
  ...fence('timeline #lanes <- stored shared', {}),
].join('\n');

test('stores, links and shares have lanes, found by name and read as tables', async ({ page }) => {
  const problems = await open(page);
  await openDocument(page, DOCUMENT);
  await run(page, 'stored');
  await run(page, 'shared');
  const lanes = cell(page, 'lanes');
  const timeline = lanes.getByRole('application', { name: /^Timeline of/ });
  await expect(lanes.getByRole('region', { name: 'links and stores' })).toContainText('DRAM, read');
  await expect(lanes.getByRole('region', { name: 'shares of accelerators' })).toContainText(
    'shared 0, shares of the SMs',
  );

  await timeline.focus();
  await page.keyboard.press('l');
  const filter = lanes.getByRole('searchbox', { name: /^lanes/ });
  await expect(filter).toBeFocused();
  await filter.fill('dram read');
  await expect(timeline).toHaveAccessibleName(/^Timeline of 1 lanes/);
  await timeline.focus();
  await page.keyboard.press('.');
  const cursor = lanes.getByTestId('timeline-cursor');
  await expect(cursor).toHaveText(/^stored: DRAM, read, read \d+, .* tokens of KV of request \d+$/);
  // The read leads to its request, and that to the turns of its program.
  await lanes.getByRole('list', { name: 'requests at the cursor' }).getByRole('button').click();
  await expect(lanes.getByTestId('trace-summary')).toHaveText(
    /^stored: request \d+, sent .* after request \d+ had ended, took/,
  );
  const turns = lanes.getByRole('region', { name: 'turns of the program' });
  await expect(turns.getByRole('button', { pressed: true })).toHaveCount(1);
  await turns.getByRole('button').first().click();
  await expect(turns.getByRole('button').first()).toHaveAttribute('aria-pressed', 'true');

  await filter.fill('shares');
  await timeline.focus();
  await page.keyboard.press('.');
  await expect(cursor).toHaveText(/prompts have .* %, decodes .* %$/);
  await lanes.getByRole('button', { name: 'Table', exact: true }).click();
  await expect(lanes.getByRole('table').first()).toContainText('shared 0, shares of the SMs');
  await filter.fill('');

  const download = page.waitForEvent('download');
  await lanes.getByRole('button', { name: 'Trace stored' }).click();
  const text = readFileSync(await (await download).path(), 'utf8');
  const { traceEvents } = JSON.parse(text) as {
    traceEvents: { name: string; cat?: string; ph: string }[];
  };
  for (const name of ['KV read', 'KV transfer', 'next turn'])
    expect(traceEvents.some((event) => event.name === name)).toBe(true);
  expect(problems).toEqual([]);
});

test('lanes and turns fit a narrow page', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 800 });
  await open(page);
  await openDocument(page, DOCUMENT);
  await run(page, 'stored');
  const lanes = cell(page, 'lanes');
  const field = lanes.getByRole('spinbutton', { name: 'request' });
  await field.fill('20');
  await field.press('Enter');
  await expect(lanes.getByTestId('trace-summary')).toHaveText(/request 20/);
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(overflow).toBeLessThanOrEqual(0);
});
