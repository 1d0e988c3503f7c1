import { expect, type Page, test } from 'playwright/test';
import { cell, open, openDocument, state } from './page-parts';

/** Without a GPU the browser of these tests has a software adapter, on which WebAssembly is faster. */
const CELLS = [
  ['prefill', 'attention', { shape: { queries: 512, keys: 512 } }],
  ['grouped', 'attention', { shape: { queryHeads: 8, kvHeads: 2, queries: 256, keys: 256 } }],
  ['one-query', 'attention', { shape: { queries: 1, keys: 16_384 } }],
  [
    'wide',
    'attention',
    { shape: { queryHeads: 8, kvHeads: 2, queries: 1, keys: 4096, headSize: 128 } },
  ],
  [
    'sparse',
    'attention',
    {
      shape: { queries: 512, keys: 512 },
      variant: { type: 'window-sinks', windowTokens: 64, sinkTokens: 4 },
    },
  ],
  ['parts', 'compose', {}],
  ['storages', 'decode', {}],
  ['pages', 'decode', { storages: [{ name: 'f32' }], layout: { type: 'paged', pageTokens: 16 } }],
  ['rule', 'recurrent', {}],
] as const;

const block = (id: string, kind: string, params: object) =>
  `\`\`\`cell ${kind} #${id}\n${JSON.stringify({ ...params, timedRuns: 1 })}\n\`\`\`\n`;

async function runs(page: Page, id: string): Promise<void> {
  await cell(page, id).getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, id)).toHaveText(/done/, { timeout: 90_000 });
}

test('every kernel runs in WebAssembly beside a software adapter, and says so', async ({
  page,
}) => {
  test.setTimeout(400_000);
  const problems = await open(page);
  await openDocument(page, CELLS.map(([id, kind, params]) => block(id, kind, params)).join('\n'));
  for (const [id] of CELLS) {
    await runs(page, id);
    const provenance = cell(page, id).locator('summary').filter({ hasText: 'Headroom' });
    await expect(provenance).toContainText('WebAssembly on the CPU');
    await expect(cell(page, id)).toContainText(
      /adapter here is software \(.+\), which is slower than WebAssembly on the CPU: that ran instead/,
    );
  }
  expect(problems).toEqual([]);
});
