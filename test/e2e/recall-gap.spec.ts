import { expect, test } from 'playwright/test';
import { cell, open, openDocument, run } from './page-parts';

const DOCUMENT = `---
format: headroom/notebook
version: 1
title: recall
---

\`\`\`cell recall-gap #gap
{ "models": ["softmax", "linear"], "pairs": [4, 16, 40], "samples": 4 }
\`\`\`
`;

test('siblings are asked for more and more pairs, once and twice', async ({ page }) => {
  const problems = await open(page, 'n/');
  await openDocument(page, DOCUMENT);
  const gap = cell(page, 'gap');
  const editor = gap.getByRole('region', { name: 'models and prompt' });
  await expect(editor.getByRole('checkbox', { name: /^softmax/ })).toBeChecked();
  await expect(editor.getByRole('checkbox', { name: /^gated-delta/ })).not.toBeChecked();
  await run(page, 'gap');
  const answers = gap.getByRole('region', { name: 'right answers' });
  await expect(answers.getByRole('row', { name: /^softmax/ })).toContainText('100 %');
  await expect(answers.locator('[data-extrapolated]')).toHaveCount(2);
  const bytes = gap.getByRole('region', { name: 'bytes kept' });
  // 33 tokens, two layers, keys and values of 64 numbers of 4 bytes.
  await expect(bytes.getByRole('row', { name: /^softmax/ })).toContainText('33 KiB');
  const pictures = gap.getByRole('region', { name: 'recall, read once' });
  await expect(pictures.getByRole('img').first()).toHaveAttribute(
    'aria-label',
    /^share of right answers over pairs: softmax .* at 4, .* at 16, .* at 40; linear/,
  );
  await expect(pictures).toContainText('right of the line at 32 pairs is extrapolation');
  await expect(pictures.locator('figure svg')).toHaveCount(2);

  const twice = editor.getByRole('checkbox', { name: /context twice/ });
  await twice.focus();
  await page.keyboard.press('Space');
  await expect(twice).toBeChecked();
  await run(page, 'gap');
  await expect(gap.getByRole('region', { name: 'recall, read twice' })).toBeVisible();
  const change = gap.getByRole('region', { name: 'change by reading twice' });
  await expect(change.locator('tbody tr')).toHaveCount(2);
  expect(problems).toEqual([]);
});

test('the last model cannot be taken away, and a run can be cancelled', async ({ page }) => {
  const problems = await open(page, 'n/');
  await page.getByRole('button', { name: 'recall-gap' }).click();
  const gap = cell(page, 'recall-gap');
  for (const name of [/^linear/, /^gated-delta/, /^window-hybrid/]) {
    await gap.getByRole('checkbox', { name }).uncheck();
  }
  await expect(gap.getByRole('checkbox', { name: /^softmax/ })).toBeDisabled();
  await gap.getByText('Parameters').click();
  await gap.getByLabel('samples').fill('500');
  await gap.getByRole('button', { name: /^Run/ }).click();
  await gap.getByRole('button', { name: 'Cancel' }).click();
  await expect(gap.locator('[data-state]').first()).toHaveText(/cancelled/);
  expect(problems).toEqual([]);
});
