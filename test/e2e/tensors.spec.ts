import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { expect, type Page, test } from 'playwright/test';
import { readTensorHeader } from '../../lib/tensors/header';
import { writeTensors } from '../../lib/tensors/write';
import { cell, open, state } from './page-parts';

const SHAPE = { queryHeads: 2, kvHeads: 1, queries: 24, keys: 24, headSize: 8 };
const link = (params: object) =>
  `n/#1.${deflateSync(
    JSON.stringify({
      version: 1,
      cells: [
        { id: 'attn', kind: 'attention', params },
        { id: 'map', kind: 'map', inputs: ['attn'] },
      ],
    }),
  ).toString('base64url')}`;

async function bytesOf(keys: number, metadata: Record<string, string> = {}): Promise<Buffer> {
  const tensor = (name: string, shape: readonly number[]) => ({
    name,
    dtype: 'F32' as const,
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i)),
  });
  const blob = writeTensors(
    [
      tensor('layer.q', [24, 2, 8]),
      tensor('layer.k', [keys, 1, 8]),
      tensor('layer.v', [keys, 1, 8]),
    ],
    { layout: 'nhd', ...metadata },
  );
  return Buffer.from(await blob.arrayBuffer());
}

const safetensors = (buffer: Buffer, name = 'qkv.safetensors') => ({
  name,
  mimeType: 'application/octet-stream',
  buffer,
});

async function run(page: Page): Promise<void> {
  await cell(page, 'attn').getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, 'attn')).toHaveText(/done/, { timeout: 60_000 });
}

async function save(page: Page): Promise<Buffer> {
  const download = page.waitForEvent('download');
  await cell(page, 'attn')
    .getByRole('button', { name: /^Save Q, K, V/ })
    .click();
  return readFileSync(await (await download).path());
}

/** The bytes of each tensor, and the whole header. */
async function tensorsOf(file: Buffer) {
  const blob = new Blob([new Uint8Array(file)]);
  const { tensors, metadata } = await readTensorHeader(blob);
  const data = [...tensors.values()].map(
    ({ name, start, end }) => [name, file.subarray(start, end)] as const,
  );
  return { metadata, data: new Map(data) };
}

test('what a cell exports gives the same numbers when it is read again', async ({ page }) => {
  const problems = await open(page, link({ shape: SHAPE }));
  await run(page);
  const exported = await save(page);
  const first = await tensorsOf(exported);
  expect([...first.data.keys()]).toEqual(['q', 'k', 'v', 'output', 'lse']);
  expect(JSON.parse(first.metadata.get('params')!)).toMatchObject({ shape: SHAPE, seed: 1 });

  await cell(page, 'attn').getByLabel('Q, K, V').selectOption('file');
  await expect(cell(page, 'attn').getByText('no file chosen')).toBeVisible();
  await cell(page, 'attn').getByLabel('safetensors file').setInputFiles(safetensors(exported));
  await expect(cell(page, 'attn').getByRole('alert')).toHaveCount(0);
  await run(page);
  await expect(
    cell(page, 'attn').getByText('inputs from "qkv.safetensors": q (F32), k (F32), v (F32)'),
  ).toBeVisible();
  const second = await tensorsOf(await save(page));
  for (const [name, bytes] of first.data) expect(second.data.get(name)!.equals(bytes)).toBe(true);
  expect(problems).toEqual([]);
});

test('a dropped file is taken, its shape on request, and its tokens are read out', async ({
  page,
}) => {
  const problems = await open(page, link({ shape: { ...SHAPE, keys: 9, queries: 9 } }));
  const tokens = JSON.stringify(Array.from({ length: 24 }, (_, i) => `tok${i}`));
  const bytes = await bytesOf(24, { tokens });
  const transfer = await page.evaluateHandle(
    (list) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(list)], 'qkv.safetensors'));
      return data;
    },
    [...bytes],
  );
  await cell(page, 'attn').dispatchEvent('drop', { dataTransfer: transfer });
  const attn = cell(page, 'attn');
  await expect(attn.getByRole('combobox', { name: 'query', exact: true })).toHaveValue('layer.q');
  await expect(attn.getByLabel('layout')).toHaveValue('nhd');
  await expect(attn.getByRole('alert')).toContainText('queries 24 (here 9), keys 24 (here 9)');
  await attn.getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, 'attn')).toHaveText(/failed/);
  await expect(attn.getByText(/^the file has another shape than this cell/).first()).toBeVisible();
  await attn.getByRole('button', { name: 'Take the shape from the file' }).click();
  await expect(attn.getByRole('button', { name: /^Take the shape/ })).toHaveCount(0);
  await run(page);
  const map = cell(page, 'map').getByRole('application');
  await map.focus();
  await page.keyboard.press('ArrowLeft');
  await expect(page.getByTestId('map-readout')).toHaveText(
    /query 12 \("tok12"\), key 11 \("tok11"\): [\d.e-]+$/,
  );
  // A link has the names, never the file.
  await page.getByRole('button', { name: 'Share', exact: true }).click();
  const address = await page.getByLabel('Link').inputValue();
  const other = await page.context().newPage();
  await other.goto(address);
  await expect(cell(other, 'attn').getByText('choose qkv.safetensors')).toBeVisible();
  await cell(other, 'attn').getByRole('button', { name: /^Run/ }).click();
  await expect(cell(other, 'attn').getByRole('alert')).toHaveText(
    'needs the file "qkv.safetensors": choose it for this cell (files never travel in a link)',
  );
  expect(problems).toEqual([]);
});

test('files that hold no such tensors are refused with a sentence', async ({ page }) => {
  await open(page, link({ shape: SHAPE, inputs: { source: 'file' } }));
  const attn = cell(page, 'attn');
  const choose = (name: string, buffer: Buffer) =>
    attn.getByLabel('safetensors file').setInputFiles(safetensors(buffer, name));
  await choose('notes.safetensors', Buffer.from('not a tensor in sight'));
  await expect(attn.getByRole('alert')).toHaveText(
    /^notes\.safetensors: not a safetensors file, or damaged: a header of \d+ bytes \(expected at most 16777216\)$/,
  );
  const whole = await bytesOf(24);
  await choose('cut.safetensors', whole.subarray(0, whole.length - 100));
  await expect(attn.getByRole('alert')).toHaveText(
    /^cut\.safetensors: tensor "layer\.v": data_offsets \[\d+, \d+\] end after the file's \d+ bytes of data: the file is cut off or damaged$/,
  );
  await choose('qkv.safetensors', whole);
  await expect(attn.getByRole('alert')).toHaveCount(0);
  await attn.getByLabel('layout').selectOption('bhnd');
  await expect(attn.getByRole('alert')).toHaveText(
    'tensor "layer.q" [24, 2, 8] has 3 axes (expected 4 for layout bhnd)',
  );
});

test('a tensor file dropped beside the attention cells is not opened as a notebook', async ({
  page,
}) => {
  await open(page, link({ shape: SHAPE }));
  const transfer = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(['x'], 'qkv.safetensors'));
    return data;
  });
  await cell(page, 'map').dispatchEvent('drop', { dataTransfer: transfer });
  await expect(page.getByText(/drop it on an attention cell/)).toBeVisible();
  await expect(page.locator('[data-cell]')).toHaveCount(2);
});
