import { expect, test } from 'playwright/test';
import { madeUpProfile } from '../unit/serving/made-up-profile';
import { cell, open, openDocument, state } from './page-parts';

const DOCUMENT = `---
format: headroom/notebook
version: 1
title: "vLLM V1"
---

\`\`\`cell workload #load
{ "source": { "type": "json-lines" } }
\`\`\`

\`\`\`cell serve #serve <- load
{ "strategy": { "type": "vllm-v1" }, "costModel": { "type": "op-tables" } }
\`\`\`
`;

const files = Object.entries(madeUpProfile()).map(([name, text]) => ({
  name,
  mimeType: 'text/plain',
  buffer: Buffer.from(text),
}));
const tokens = Array.from({ length: 40 }, (_, i) => i);
const load = [0, 1e9]
  .map((arrival_time_ns) =>
    JSON.stringify({ arrival_time_ns, input_toks: 40, output_toks: 5, input_tok_ids: tokens }),
  )
  .join('\n');

test('vLLM V1 runs over the tables that were chosen, and shares prefixes', async ({ page }) => {
  const problems = await open(page, 'n/');
  await openDocument(page, DOCUMENT);
  await cell(page, 'load')
    .locator('input[type=file]')
    .setInputFiles({ name: 'load.jsonl', mimeType: 'text/plain', buffer: Buffer.from(load) });
  const chooser = cell(page, 'serve').locator('input[type=file]');
  await chooser.setInputFiles({
    name: 'notes.txt',
    mimeType: 'text/plain',
    buffer: Buffer.from('x'),
  });
  await expect(cell(page, 'serve').getByRole('alert')).toHaveText(
    'choose dense.csv, per_sequence.csv and attention.csv of one profile',
  );
  await chooser.setInputFiles(files);
  await expect(cell(page, 'serve').getByRole('alert')).toHaveCount(0);
  // A bound file may start a cheap cell by itself, and then the same button cancels it.
  await expect(async () => {
    const button = cell(page, 'serve').getByRole('button', { name: /^Run/ });
    if (await button.isVisible()) await button.click();
    await expect(state(page, 'serve')).toHaveText(/done/, { timeout: 15_000 });
  }).toPass({ timeout: 90_000 });
  // Of 2 x 40 prompt tokens the second request finds two full blocks of 16.
  await expect(
    cell(page, 'serve').getByText('40.0 % of prompt tokens were found in the prefix cache'),
  ).toBeVisible();
  await expect(
    cell(page, 'serve').getByText('simulated, operator tables, made-up/Llama-3.1-8B'),
  ).toBeVisible();
  expect(problems).toEqual([]);
});
