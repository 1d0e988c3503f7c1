import { readFileSync } from 'node:fs';
import { expect, type Page, test, type Worker } from 'playwright/test';
import { cell, chooseEngine, open, state } from './page-parts';

const run = (page: Page, id: string) =>
  cell(page, id).getByRole('button', { name: /^Run/ }).click();

interface Watched {
  device?: GPUDevice;
}

/** The worker that is submitting to a device now; the device is kept in its `device`. */
async function workerAtTheDevice(page: Page): Promise<Worker> {
  for (const worker of page.workers()) {
    await worker.evaluate(() => {
      const { prototype } = GPUDevice;
      const plain = prototype.createCommandEncoder;
      prototype.createCommandEncoder = function (...args) {
        (globalThis as Watched).device = this;
        return plain.apply(this, args);
      };
    });
  }
  let found: Worker | undefined;
  await expect(async () => {
    for (const worker of page.workers()) {
      if (await worker.evaluate(() => (globalThis as Watched).device !== undefined)) found = worker;
    }
    expect(found).toBeDefined();
  }).toPass();
  return found as Worker;
}

test('a worker that crashes is named and replaced, and other cells live on', async ({ page }) => {
  await open(page);
  await chooseEngine(page, 'prefill', 'webgpu');
  await run(page, 'load');
  await expect(state(page, 'load')).toHaveText(/done/);
  await run(page, 'prefill');
  await expect(state(page, 'prefill')).toHaveText(/running/);
  const kernel = await workerAtTheDevice(page);
  await kernel.evaluate(() => {
    setTimeout(() => {
      throw new Error('out of memory, say');
    });
  });
  await expect(state(page, 'prefill')).toHaveText(/failed/);
  await expect(
    cell(page, 'prefill').getByText('out of memory, say', { exact: false }),
  ).toContainText('the kernel worker stopped');
  await run(page, 'vllm');
  await expect(state(page, 'vllm')).toHaveText(/done/);
  await run(page, 'prefill');
  await expect(state(page, 'prefill')).toHaveText(/done/, { timeout: 90_000 });
});

test('a device lost in mid-run is replaced, and the result says so', async ({ page }) => {
  await open(page);
  await chooseEngine(page, 'prefill', 'webgpu');
  await run(page, 'prefill');
  await expect(state(page, 'prefill')).toHaveText(/running/);
  const kernel = await workerAtTheDevice(page);
  await kernel.evaluate(() => (globalThis as Watched).device?.destroy());
  await expect(state(page, 'prefill')).toHaveText(/done/, { timeout: 90_000 });
  await expect(
    cell(page, 'prefill').getByText('the run was repeated once', { exact: false }),
  ).toBeVisible();
});

test('the map is exported as a picture and as numbers', async ({ page }) => {
  await open(page);
  await run(page, 'prefill');
  await expect(state(page, 'prefill')).toHaveText(/done/, { timeout: 90_000 });
  const map = cell(page, 'attention-map');
  const save = async (name: string) => {
    const download = page.waitForEvent('download');
    await map.getByRole('button', { name, exact: true }).click();
    return readFileSync(await (await download).path());
  };
  const picture = await save('PNG');
  expect(picture.subarray(1, 4).toString()).toBe('PNG');
  expect(picture.byteLength).toBeGreaterThan(5_000);
  const [head, ...rows] = (await save('CSV')).toString().trim().split('\r\n');
  expect(head).toBe('query,key,probability,masked');
  expect(rows).toHaveLength(256 * 256);
  const cells = rows.map((row) => row.split(','));
  // Causal: the first query sees the first key alone.
  expect(cells[0]?.map(Number)).toEqual([0, 0, expect.closeTo(1, 5), 0]);
  expect(cells[1]).toEqual(['0', '1', '', '1']);
  const sum = cells.slice(255 * 256).reduce((total, [, , p]) => total + Number(p), 0);
  expect(Math.abs(sum - 1)).toBeLessThan(1e-4);
});

test('a file dropped on the page opens', async ({ page }) => {
  await open(page);
  const transfer = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(['Dropped *here*.\n'], 'note.md', { type: 'text/markdown' }));
    return data;
  });
  await cell(page, 'intro').dispatchEvent('drop', { dataTransfer: transfer });
  await expect(page.getByText('Dropped here.')).toBeVisible();
  await expect(page.locator('[data-cell]')).toHaveCount(1);
});

test('a file that is no text is refused, and the notebook stays', async ({ page }) => {
  await open(page);
  await page.locator('header input[type=file]').setInputFiles({
    name: 'x.md',
    mimeType: 'text/markdown',
    buffer: Buffer.from([35, 10, 1, 255, 254, 10]),
  });
  await expect(page.getByRole('alert').first()).toContainText('line 2: x.md is not text in UTF-8');
  await expect(cell(page, 'intro')).toBeVisible();
});

test('a running cell is cancelled at once and runs again', async ({ page }) => {
  await open(page);
  await chooseEngine(page, 'prefill', 'webgpu');
  await run(page, 'prefill');
  await expect(state(page, 'prefill')).toHaveText(/running/);
  await cell(page, 'prefill').getByRole('button', { name: 'Cancel' }).click();
  await expect(state(page, 'prefill')).toHaveText(/cancelled/, { timeout: 2_000 });
  await run(page, 'prefill');
  await expect(state(page, 'prefill')).toHaveText(/done/, { timeout: 90_000 });
});

test('a browser without Float16Array runs the kernels all the same', async ({ page }) => {
  await page.route(/\.js$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({
      response,
      body: `delete globalThis.Float16Array;\n${await response.text()}`,
    });
  });
  const problems = await open(page);
  await chooseEngine(page, 'prefill', 'webgpu');
  await run(page, 'prefill');
  await expect(state(page, 'prefill')).toHaveText(/done/, { timeout: 90_000 });
  expect(problems).toEqual([]);
});
