import { gzipSync } from 'node:zlib';
import { expect, type Page, test } from 'playwright/test';
import { simulate } from '../../lib/serving/core/simulation';
import { makeCostModel } from '../../lib/serving/cost/make-cost-model';
import { makeBundle } from '../../lib/serving/cost/op-tables/bundle';
import { serveParams } from '../../lib/spec/kinds/serve';
import { madeUpRows, madeUpRun } from '../unit/cli/made-up-run';
import { madeUpProfile } from '../unit/serving/made-up-profile';

const rows = madeUpRows();
const params = serveParams.parse({
  strategy: { type: 'vllm-v1', maxBatchedTokens: 256, maxSequences: 8 },
  memory: { kvBlocks: 300 },
  costModel: { type: 'op-tables' },
});

/** A run that the simulator made, `slower` times as slow. */
function runFiles(slower: number) {
  const workload = {
    arrivalSeconds: Float64Array.from(rows, ({ arrival }) => arrival),
    promptTokens: Int32Array.from(rows, ({ prompt }) => prompt),
    outputTokens: Int32Array.from(rows, ({ output }) => output),
    label: 'made up',
    source: 'made up',
    seed: 0,
    notes: [],
  };
  const { requests } = simulate(
    params,
    workload,
    makeCostModel(params, makeBundle(madeUpProfile())),
  );
  const times = { first: requests.firstTokenSeconds, last: requests.completedSeconds };
  return madeUpRun(rows, times, slower);
}

const chosen = (files: Readonly<Record<string, string | Buffer>>) =>
  Object.entries(files).map(([name, content]) => ({
    name,
    mimeType: 'text/plain',
    buffer: Buffer.from(content),
  }));

async function openPage(page: Page): Promise<string[]> {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.goto('how-right/');
  return problems;
}

test('a run that was a quarter slower is off by a fifth, and every request shows it', async ({
  page,
}) => {
  const problems = await openPage(page);
  await expect(
    page.getByRole('navigation', { name: 'Notebooks' }).getByText('How right is it?'),
  ).toHaveAttribute('aria-current', 'page');
  const replay = page.getByRole('button', { name: 'Replay the run' });
  await expect(replay).toBeDisabled();
  await page.getByLabel('Run: choose files').setInputFiles(chosen(runFiles(1.25)));
  await page.getByLabel('Operator tables: choose files').setInputFiles(chosen(madeUpProfile()));
  await replay.press('Enter');
  const errors = page.getByRole('region', { name: 'errors of the replay' });
  await expect(errors.getByText('−20.00 %')).toHaveCount(3);
  await expect(errors.getByText('outside 5 %')).toBeVisible();
  await expect(errors.locator('figure svg')).toHaveCount(2);
  await errors.getByLabel('show').selectOption('tpot');
  await errors.getByRole('button', { name: 'Table' }).press('Enter');
  const quantiles = errors.getByRole('region', { name: /^quantiles of the time per output token/ });
  await expect(quantiles.getByRole('row', { name: /^mean/ })).toContainText('−20.00 %');
  await page.setViewportSize({ width: 390, height: 844 });
  expect(
    await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
  ).toBeLessThanOrEqual(0);
  expect(problems).toEqual([]);
});

test('says in place which file and field are wrong', async ({ page }) => {
  const problems = await openPage(page);
  const files = runFiles(1);
  const broken = { ...files, 'requests.jsonl': `${files['requests.jsonl']}{"request_id":"x"}\n` };
  await page.getByLabel('Run: choose files').setInputFiles(chosen(broken));
  await page.getByRole('button', { name: 'Replay the run' }).click();
  const alert = page.getByRole('main').getByRole('alert');
  await expect(alert).toHaveText(
    'requests.jsonl: line 25: invalid arrival_time: undefined (expected a number)',
  );
  await page
    .getByLabel('Run: choose files')
    .setInputFiles(chosen({ 'meta.json': files['meta.json'] as string }));
  await expect(alert).toHaveCount(0);
  await page.getByRole('button', { name: 'Replay the run' }).click();
  await expect(alert).toHaveText('missing requests.jsonl: choose the folder of a run');
  await page.getByLabel('Reference run and tables: choose files').setInputFiles(
    chosen({
      'a.json.gz': gzipSync('{"result_columns": []}'),
      'b.json': '{}',
    }),
  );
  await page.getByRole('button', { name: 'Replay the reference' }).click();
  await expect(alert.nth(1)).toHaveText(/^(invalid|missing|wrong).*/);
  expect(problems).toEqual([]);
});
