import { expect, test } from 'playwright/test';
import { cell, open, openDocument, run } from './page-parts';

const NOTEBOOK = `# Programs

\`\`\`cell workload #load
source:
  type: synthetic
  requests: 400
  sharing: {type: groups}
  program: {type: chat}
\`\`\`

\`\`\`cell workload #file
source:
  type: trace
\`\`\`
`;

const BURST = `Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type
${Array.from({ length: 40 }, (_, i) => `${i * 3},ChatGPT,${100 + i},${i % 10},0,API log`).join('\n')}
`;

test('a workload shows its statistics, drawn or read', async ({ page }) => {
  const problems = await open(page);
  await openDocument(page, NOTEBOOK);
  await run(page, 'load');
  const load = cell(page, 'load');
  await expect(load.getByText('hit rate without a limit')).toBeVisible();
  await expect(load.getByRole('row', { name: /requests per program/ })).toBeVisible();
  await expect(load.locator('svg[aria-label*="share of the requests"]')).toBeVisible();
  await load.getByRole('button', { name: 'Table' }).click();
  await expect(load.getByRole('columnheader', { name: 'programs /s' })).toBeVisible();
  await expect(load.locator('svg[aria-label*="share of the requests"]')).toBeHidden();

  await cell(page, 'file')
    .locator('input[type=file]')
    .setInputFiles({
      name: 'burst.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(BURST),
    });
  await run(page, 'file');
  await expect(cell(page, 'file').getByText(/a BurstGPT trace: columns/)).toBeVisible();
  await expect(cell(page, 'file').getByText(/4 rows left out: failed/)).toBeVisible();
  expect(problems).toEqual([]);
});
