import { readFile } from 'node:fs/promises';
import { expect, type Page, test } from 'playwright/test';
import { cell, open, openDocument, run } from './page-parts';

// What a map shows, held to a softmax that is computed here from the Q and K that the page saves.

const attention = (params: object) =>
  `\`\`\`cell attention #a\n${JSON.stringify({ engine: 'wasm', timedRuns: 1, ...params })}\n\`\`\`\n\n\`\`\`cell map #map <- a\n{}\n\`\`\`\n`;

async function downloaded(page: Page, id: string, button: string | RegExp): Promise<Buffer> {
  const download = page.waitForEvent('download');
  await cell(page, id).getByRole('button', { name: button }).click();
  return readFile(await (await download).path());
}

interface Tensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Reads a safetensors file of f32 tensors. */
function tensorsOf(file: Buffer): Record<string, Tensor> {
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, 8 + length).toString()) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  return Object.fromEntries(
    Object.entries(header)
      .filter(([, { dtype }]) => dtype === 'F32')
      .map(
        ([
          name,
          {
            shape,
            data_offsets: [start, end],
          },
        ]) => {
          const bytes = Uint8Array.from(file.subarray(8 + length + start, 8 + length + end));
          return [name, { shape, values: new Float32Array(bytes.buffer) }];
        },
      ),
  );
}

/** Q and K of the cell's call, as the page saves them. */
async function savedTensors(page: Page): Promise<{ readonly q: Tensor; readonly k: Tensor }> {
  const { q, k } = tensorsOf(await downloaded(page, 'a', /^Save Q, K, V/));
  if (q === undefined || k === undefined) throw new Error('the file has no q or k');
  return { q, k };
}

/** Probabilities of one query over the keys that it may see, in f64. */
function softmaxOf(
  query: Tensor,
  key: Tensor,
  at: { readonly head: number; readonly row: number; readonly sees: (key: number) => boolean },
): Float64Array {
  const [, heads = 0, queries = 0, size = 0] = query.shape;
  const [, kvHeads = 0, keys = 0] = key.shape;
  const kvHead = Math.floor((at.head * kvHeads) / heads);
  const scores = Float64Array.from({ length: keys }, (_, k) => {
    if (!at.sees(k)) return Number.NEGATIVE_INFINITY;
    let dot = 0;
    for (let c = 0; c < size; c++) {
      const q = query.values[(at.head * queries + at.row) * size + c] as number;
      dot += q * (key.values[(kvHead * keys + k) * size + c] as number);
    }
    return dot / Math.sqrt(size);
  });
  const most = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const sum = scores.reduce((total, score) => total + Math.exp(score - most), 0);
  return scores.map((score) => Math.exp(score - most) / sum);
}

test('every element of a head is the softmax of the saved Q and K', async ({ page }) => {
  await open(page, 'n/');
  const shape = { queries: 48, keys: 64, queryHeads: 4, kvHeads: 2, headSize: 32 };
  await openDocument(
    page,
    attention({ shape, variant: { type: 'sliding-window', windowTokens: 20 } }),
  );
  await run(page, 'a');
  const { q, k } = await savedTensors(page);
  await cell(page, 'map').getByRole('combobox', { name: /^head/ }).selectOption('2');
  await expect(cell(page, 'map').getByText('computing the map')).toHaveCount(0);
  const lines = (await downloaded(page, 'map', 'CSV')).toString().trim().split('\r\n').slice(1);
  expect(lines).toHaveLength(48 * 64);
  let most = 0;
  for (let row = 0; row < 48; row++) {
    const position = 64 - 48 + row;
    const sees = (k: number) => k <= position && position - k < 20;
    const expected = softmaxOf(q, k, { head: 2, row, sees });
    for (let at = 0; at < 64; at++) {
      const [atQuery, atKey, p, masked] = (lines[row * 64 + at] as string).split(',');
      expect([Number(atQuery), Number(atKey), masked]).toEqual([row, at, sees(at) ? '0' : '1']);
      most = Math.max(most, Math.abs(Number(p) - (expected[at] as number)));
    }
  }
  expect(most).toBeLessThan(1e-5);
});

test('at 32,768 keys elements are exact, at both ends and zoomed in', async ({ page }) => {
  await open(page, 'n/');
  const shape = { queries: 16, keys: 32768, queryHeads: 1, kvHeads: 1, headSize: 16 };
  await openDocument(page, attention({ shape }));
  await run(page, 'a');
  await expect(cell(page, 'map').getByText('computing the map')).toHaveCount(0);
  const { q, k } = await savedTensors(page);
  const sees = (k: number) => k <= 32768 - 16 + 8;
  const expected = softmaxOf(q, k, { head: 0, row: 8, sees });
  const readout = page.getByTestId('map-readout');
  const expectAt = async (k: number) => {
    await expect(readout).toHaveText(new RegExp(`^query 8, key ${k}: `));
    const shown = Number(/: ([\d.e-]+)/.exec(await readout.innerText())?.[1]);
    const p = expected[k] as number;
    expect(Math.abs(shown - p)).toBeLessThan(2e-3 * p);
  };
  await cell(page, 'map').getByRole('application').focus();
  await page.keyboard.press('Home');
  await expectAt(0);
  await page.keyboard.press('End');
  await expect(readout).toHaveText('query 8, key 32767: masked');
  for (let i = 0; i < 12; i++) await page.keyboard.press('+');
  await page.keyboard.press('Shift+ArrowLeft');
  await expectAt(32751);
  await expect(page.getByTestId('map-legend')).toContainText('exact values');
  await cell(page, 'map').getByRole('button', { name: 'Zoom in' }).click();
  await expect(cell(page, 'map').getByRole('application')).toHaveAttribute(
    'aria-label',
    /keys 327\d\d to 327\d\d/,
  );
});
