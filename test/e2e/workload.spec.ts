import { expect, test } from 'playwright/test';
import { cell, open, openDocument, run } from './page-parts';

const NOTEBOOK = `# Programs

\`\`\`cell workload #drawn
{
  "source": {
    "type": "synthetic",
    "requests": 400,
    "sharing": { "type": "groups" },
    "program": { "type": "chat" }
  }
}
\`\`\`

\`\`\`cell workload #read
{ "source": { "type": "trace" } }
\`\`\`
`;

const BURST = `Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type
${Array.from({ length: 40 }, (_, i) => `${i * 3},ChatGPT,${100 + i},${i % 10},0,API log`).join('\n')}
`;

test('a workload shows its statistics, drawn or read', async ({ page }) => {
  const problems = await open(page);
  await openDocument(page, NOTEBOOK);
  await run(page, 'drawn');
  const drawn = cell(page, 'drawn');
  await expect(drawn.getByText('hit rate without a limit')).toBeVisible();
  await expect(drawn.getByRole('row', { name: /requests per program/ })).toBeVisible();
  await expect(drawn.locator('svg[aria-label*="share of the requests"]')).toBeVisible();
  await drawn.getByRole('button', { name: 'Table' }).click();
  await expect(drawn.getByRole('columnheader', { name: 'programs /s' })).toBeVisible();
  await expect(drawn.locator('svg[aria-label*="share of the requests"]')).toBeHidden();

  await cell(page, 'read')
    .locator('input[type=file]')
    .setInputFiles({
      name: 'burst.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(BURST),
    });
  await run(page, 'read');
  await expect(cell(page, 'read').getByText(/a BurstGPT trace: columns/)).toBeVisible();
  await expect(cell(page, 'read').getByText(/4 rows left out: failed/)).toBeVisible();
  expect(problems).toEqual([]);
});

test('a file of requests is given to a drawn load without its parameters', async ({ page }) => {
  const problems = await open(page);
  const load = cell(page, 'load');
  const lines = Array.from({ length: 40 }, (_, i) => `${i / 4},${100 + i},${10 + i}`);
  await load.getByLabel('Your own requests').setInputFiles({
    name: 'mine.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from(['arrival,prompt,output', ...lines].join('\n')),
  });
  await expect(load).toContainText('40 over 9.75 s');
  await expect(load).toContainText('File mine.csv');
  expect(problems).toEqual([]);
});
