import { expect, type Page, test } from 'playwright/test';
import { cell, open, state } from './page-parts';

/** A page with one recurrent cell, small enough to run in a moment. */
async function addCell(page: Page) {
  const problems = await open(page, 'n/');
  await page.getByRole('button', { name: 'recurrent' }).click();
  const recurrent = cell(page, 'recurrent');
  await recurrent.getByText('Parameters').click();
  const shape = recurrent.getByRole('group', { name: 'shape' });
  await shape.getByLabel('tokens').fill('256');
  await shape.getByLabel('heads').fill('2');
  return { problems, recurrent };
}

async function choose(page: Page, title: string) {
  const recurrent = cell(page, 'recurrent');
  await recurrent.getByRole('combobox', { name: 'preset' }).selectOption({ label: title });
  await recurrent.getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, 'recurrent')).toHaveText(/done/, { timeout: 90_000 });
}

test('a hybrid preset shows the bytes of its stack and the recall of a block', async ({ page }) => {
  const { problems, recurrent } = await addCell(page);
  await expect(recurrent.getByRole('combobox', { name: 'preset' })).toHaveValue('gated-deltanet');
  await choose(page, 'InfiniteVL (hybrid)');
  const stack = recurrent.getByRole('region', { name: /^stack of / });
  await expect(stack).toContainText('a stack of 36 layers: 9 with a softmax window of 8192 tokens');
  await expect(stack.getByRole('img').first()).toHaveAttribute(
    'aria-label',
    /bytes kept by the stack/,
  );
  await expect(stack.locator('svg[aria-label]')).toBeVisible();
  await expect(stack).toContainText('window alone');
  const button = stack.getByRole('button', { name: 'Table' });
  await button.focus();
  await page.keyboard.press('Enter');
  await expect(button).toHaveAttribute('aria-pressed', 'true');
  const row = stack.getByRole('row', { name: /^1Mi/ });
  // 36 layers x 2 heads x 2^20 tokens x 128 channels x 4 bytes.
  await expect(row.getByRole('cell').first()).toHaveText('36 GiB');

  await recurrent.getByRole('slider', { name: /window layer/ }).focus();
  await page.keyboard.press('Home');
  await recurrent.getByRole('button', { name: /^Run/ }).click();
  await expect(stack).toContainText('all recurrent', { timeout: 90_000 });
  expect(problems).toEqual([]);
});

test('a mixture shows which memories were written', async ({ page }) => {
  const { problems, recurrent } = await addCell(page);
  await choose(page, 'MoM');
  const memories = recurrent.getByRole('region', { name: 'memories' });
  await expect(memories.locator('tbody tr')).toHaveCount(8);
  const counts = await memories.locator('tbody tr td:nth-child(2)').allTextContents();
  expect(counts.map(Number).reduce((a, b) => a + b, 0)).toBe(2 * 256);
  await expect(recurrent.locator('[data-tone=good]').first()).toContainText('within');
  expect(problems).toEqual([]);
});

test('a Legendre memory gives its window back, and fast weights say that they have no kernel', async ({
  page,
}) => {
  const { problems, recurrent } = await addCell(page);
  await choose(page, 'LMU');
  const window = recurrent.getByRole('region', { name: 'window' });
  await expect(window.getByRole('row', { name: /^smooth signal/ })).toContainText('e-4');
  await expect(recurrent.locator('[data-tone=good]').first()).toContainText('within');
  await choose(page, 'LaCT');
  await expect(recurrent).toContainText('rule lact has no kernel');
  const weights = recurrent.getByRole('region', { name: 'fast weights' });
  await weights.getByRole('button', { name: 'Table' }).click();
  await expect(weights.locator('tbody tr')).toHaveCount(4);
  expect(problems).toEqual([]);
});

test('an overwritten key answers both values under the additive rule, the second under the delta rule', async ({
  page,
}) => {
  const { problems, recurrent } = await addCell(page);
  await choose(page, 'DeltaNet');
  const overwritten = recurrent.getByRole('region', { name: 'overwriting a key' });
  await expect(overwritten.getByRole('img', { name: /^delta: / })).toHaveAttribute(
    'aria-label',
    'delta: 0 % of A and 100 % of B',
  );
  await expect(overwritten.getByRole('img', { name: /^additive: / })).toHaveAttribute(
    'aria-label',
    'additive: 100 % of A and 100 % of B',
  );
  await choose(page, 'linear attention');
  await expect(overwritten.getByRole('row', { name: /^delta/ })).toHaveCount(0);
  await expect(overwritten.locator('tbody tr')).toHaveCount(2);
  expect(problems).toEqual([]);
});
