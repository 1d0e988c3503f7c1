import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createFullCache } from '../../lib/transformer/full-cache';
import { decodeGreedy, prefill } from '../../lib/transformer/generate';
import { openModel } from '../../lib/transformer/load/open-model';
import { referenceTransformer } from '../../lib/transformer/reference';
import { tinyConfig, tinyFiles, tinyTensors } from '../unit/transformer/tiny-model';
import { openStory, type Story } from './open-story';

const config = tinyConfig('qwen3');
const files = tinyFiles({ config, tensors: tinyTensors(config, 'BF16'), shards: 2 });
const folder = mkdtempSync(join(tmpdir(), 'headroom-tiny-'));
const bodies = new Map<string, Buffer>();

let story: Story;
let page: Page;
/** Weights beyond what is read at first. */
const large = new Map<string, Buffer>();
/**
 * Another origin: `/open/` lets every page read it, `/closed/` none; `/slow/` is silent about
 * weights, `/stuck/` and `/breaks/` about all of a larger model but its beginning.
 */
let other: Server;
let origin = '';
const problems: string[] = [];

beforeAll(async () => {
  mkdirSync(join(folder, 'tiny'));
  for (const [name, blob] of files) {
    const bytes = Buffer.from(await blob.arrayBuffer());
    bodies.set(name, bytes);
    writeFileSync(join(folder, 'tiny', name), bytes);
  }
  const wide = tinyConfig('llama', { hidden_size: 128, intermediate_size: 512 });
  for (const [name, blob] of tinyFiles({ config: wide, tensors: tinyTensors(wide) })) {
    large.set(name, Buffer.from(await blob.arrayBuffer()));
  }
  other = createServer((request, response) => {
    const [, manner, name = ''] = (request.url ?? '').split('/');
    if (manner !== 'closed') response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Allow-Headers', 'Range');
    const isLarge = manner === 'stuck' || manner === 'breaks';
    const body = (isLarge ? large : bodies).get(name);
    if (request.method === 'OPTIONS') return void response.writeHead(204).end();
    if (body === undefined) return void response.writeHead(404).end();
    const [, first, last] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
    if (first === undefined) {
      response.setHeader('Content-Length', body.length);
      return void response.end(request.method === 'HEAD' ? undefined : body);
    }
    if (manner === 'slow' || (manner === 'stuck' && first !== '0')) return;
    if (manner === 'breaks' && first !== '0') return void response.writeHead(503).end();
    response.writeHead(206, { 'Content-Range': `bytes ${first}-${last}/${body.length}` });
    response.end(body.subarray(Number(first), Number(last) + 1));
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  story = await openStory('test/browser/page/load-model.tsx', ['model-fetch.js']);
});
afterAll(async () => {
  await story?.close();
  other.closeAllConnections();
  other.close();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  page = await story.browser.newPage({ viewport: { width: 390, height: 844 } });
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.goto(story.url);
});
afterEach(async () => {
  problems.length = 0;
  await page.close();
});

const button = (name: string | RegExp) => page.getByRole('button', { name });
const alertText = () => page.getByRole('alert').innerText();
const isNarrow = () =>
  page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);

async function spoken(): Promise<string> {
  await page.waitForFunction(() => document.querySelector('output')?.textContent !== '');
  return page.locator('output').innerText();
}

/** The same model and prompt without a browser. */
async function textInNode(): Promise<string> {
  const opened = await openModel(files);
  const tokenizer = await opened.tokenizer();
  const model = referenceTransformer(opened.config, await opened.load());
  const cache = createFullCache(opened.config);
  const prompt = tokenizer.encode('paris : 10 ; oslo : 11 ; paris ?');
  const logits = prefill(model, cache, prompt, 0);
  return tokenizer.decode(decodeGreedy(model, cache, logits, prompt.length, 4, new Set()));
}

async function askFor(address: string): Promise<void> {
  await page.getByLabel('Or an address').fill(address);
  await page.keyboard.press('Enter');
}

test('a folder is checked, its memory shown, then it is loaded and speaks', async () => {
  await page.getByLabel('Choose a folder').setInputFiles(join(folder, 'tiny'));
  await button('Load 40.1 KiB').waitFor();
  const facts = await page.locator('dl').innerText();
  expect(facts).toContain('tiny (qwen3)');
  expect(facts).toContain('40.1 KiB, 25 tensors checked (25 BF16)');
  expect(facts).toMatch(/memory\s+75\.2 KiB for 19,256 weights as f32/);
  expect(facts).toMatch(/KV cache\s+256 bytes per token, 64\.0 KiB for a full context/);
  expect(await isNarrow()).toBe(true);
  // The picker is gone: the keyboard is where it went on.
  expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe(
    'Your own model',
  );
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  const fromFolder = await spoken();
  expect(fromFolder).toBe(await textInNode());
  expect(await page.locator('p[role=status]').innerText()).toBe('the model is loaded');

  await button('Choose another').click();
  await page.evaluate(() => document.querySelector('output')!.replaceChildren());
  await page
    .getByLabel('Choose files')
    .setInputFiles([...files.keys()].map((name) => join(folder, 'tiny', name)));
  await button(/^Load/).click();
  expect(await spoken()).toBe(fromFolder);
  expect(problems).toEqual([]);
});

test('dropped files are taken', async () => {
  const list = [...bodies].map(([name, bytes]) => [name, [...bytes]] as const);
  const transfer = await page.evaluateHandle((dropped) => {
    const data = new DataTransfer();
    for (const [name, bytes] of dropped) data.items.add(new File([new Uint8Array(bytes)], name));
    return data;
  }, list);
  await page.locator('[data-over]').dispatchEvent('dragover', { dataTransfer: transfer });
  expect(await page.locator('[data-over]').getAttribute('data-over')).toBe('true');
  await page.locator('[data-over]').dispatchEvent('drop', { dataTransfer: transfer });
  await button(/^Load/).click();
  expect(await spoken()).not.toBe('');
  expect(problems).toEqual([]);
});

test('what is wrong is said in place, and another choice is possible', async () => {
  const names = ['config.json', 'tokenizer.json', 'model.safetensors.index.json'];
  const paths = names.map((name) => join(folder, 'tiny', name));
  await page.getByLabel('Choose files').setInputFiles(paths);
  await page.getByRole('alert').waitFor();
  expect(await alertText()).toBe(
    'missing shard: "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors" (of 2 that model.safetensors.index.json names)',
  );
  await page.getByLabel('Choose files').setInputFiles(paths[1]!);
  await expect.poll(alertText).toBe('missing file: "config.json" (among "tokenizer.json")');
  await page.getByLabel('Choose a folder').setInputFiles(join(folder, 'tiny'));
  await button(/^Load/).waitFor();
  expect(await page.getByRole('alert').count()).toBe(0);
  expect(problems).toEqual([]);
});

test('an address is confirmed before anything is asked of it, by the keyboard alone', async () => {
  const asked: string[] = [];
  other.on('request', ({ url }) => asked.push(url ?? ''));
  await page.getByLabel('Or an address').focus();
  await page.keyboard.type(`${origin}/open/config.json`);
  await page.keyboard.press('Enter');
  await page.getByRole('group', { name: 'Confirm the address' }).waitFor();
  expect(await page.getByRole('group').innerText()).toContain(`${origin}/open/`);
  expect(asked).toEqual([]);
  expect(await isNarrow()).toBe(true);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('group').waitFor({ state: 'detached' });
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('INPUT');
  expect(asked).toEqual([]);
  await page.keyboard.press('Enter');
  await button(/^Read from 127\.0\.0\.1:\d+$/).waitFor();
  await page.keyboard.press('Enter');
  await button(/^Load/).waitFor();
  expect(asked).toContain('/open/model-00002-of-00002.safetensors');
  await button(/^Load/).click();
  expect(await spoken()).not.toBe('');
});

test('addresses that are none, lack files or are closed are told apart', async () => {
  await askFor('gpt2');
  await expect.poll(alertText).toBe('invalid address: "gpt2" (expected https://host/folder)');
  await askFor(`${origin}/open/none/`);
  await button(/^Read from/).click();
  await expect.poll(alertText).toBe(`${origin}/open/none/config.json: no such file (HTTP 404)`);
  await askFor(`${origin}/closed/`);
  await button(/^Read from/).click();
  await expect
    .poll(alertText)
    .toBe(
      `cannot read ${origin}/closed/config.json: no connection, or the server does not let other pages read it (CORS)`,
    );
  expect(await isNarrow()).toBe(true);
});

test('a server that does not answer can be left', async () => {
  await askFor(`${origin}/slow/`);
  await button(/^Read from/).click();
  await page.getByText('reading the configuration and the headers').waitFor();
  await button('Cancel').click();
  await page.getByText('reading the configuration and the headers').waitFor({ state: 'detached' });
  expect(await page.getByRole('alert').count()).toBe(0);
  expect(await page.getByLabel('Or an address').isEnabled()).toBe(true);
});

test('a load shows its progress and can be cancelled; what breaks it is said in place', async () => {
  await askFor(`${origin}/stuck/`);
  await button(/^Read from/).click();
  await button(/^Load/).click();
  const progress = page.getByRole('progressbar', { name: 'Loading' });
  await page.getByText(/^\d+ KiB of \d\.\d\d MiB$/).waitFor();
  expect(await progress.evaluate((bar: HTMLProgressElement) => bar.position)).toBeGreaterThan(0);
  expect(await isNarrow()).toBe(true);
  await button('Cancel').click();
  await button(/^Load/).waitFor();
  expect(await page.getByRole('alert').count()).toBe(0);
  await button('Choose another').click();
  await askFor(`${origin}/breaks/`);
  await button(/^Read from/).click();
  await button(/^Load/).click();
  await expect
    .poll(alertText)
    .toBe(`model.safetensors: ${origin}/breaks/model.safetensors: HTTP 503`);
  expect(await button(/^Load/).isEnabled()).toBe(true);
});

test('only the worker for addresses reaches another origin', async () => {
  const outcomes = await page.evaluate(async (url) => {
    const direct = await fetch(url).then(
      () => 'read',
      () => 'refused',
    );
    const worker = new Worker('model-fetch.js');
    const ask = (id: number, target: string) =>
      new Promise<{ status?: number }>((resolve) => {
        worker.addEventListener('message', ({ data }) => data.id === id && resolve(data));
        worker.postMessage({ id, url: target, method: 'GET' });
      });
    const byWorker = (await ask(1, url)).status;
    const plain = (await ask(2, 'http://example.org/')).status;
    return { direct, byWorker, plain };
  }, `${origin}/open/config.json`);
  expect(outcomes).toEqual({ direct: 'refused', byWorker: 200, plain: undefined });
  expect(problems.some((text) => text.includes('Content Security Policy'))).toBe(true);
});
