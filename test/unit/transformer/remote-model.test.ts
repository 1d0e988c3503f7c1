import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { modelAddress } from '../../../lib/transformer/load/model-address';
import { openSource } from '../../../lib/transformer/load/source';
import { fetchClient } from './fetch-worker';
import { tinyConfig, tinyFiles, tinyTensors } from './tiny-model';

type Manner = 'plain' | 'no-ranges' | 'no-range-total' | 'refuses' | 'fails' | 'short' | 'grows';

const requests: string[] = [];
const folders = new Map<string, { files: Map<string, Uint8Array>; manner: Manner }>();

/** A file server of the manner that a folder has. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const [, folder = '', name = ''] = (request.url ?? '').split('/');
  const { files, manner } = folders.get(folder) ?? { files: new Map(), manner: 'plain' };
  const { range } = request.headers;
  requests.push(`${request.method} ${name} ${range ?? 'whole'}`);
  const body = files.get(name);
  if (manner === 'refuses') return void response.writeHead(403).end('no');
  if (manner === 'fails' && name.endsWith('.safetensors'))
    return void response.writeHead(500).end();
  if (body === undefined) return void response.writeHead(404).end('none');
  const [, first, last] = /bytes=(\d+)-(\d+)/.exec(range ?? '') ?? [];
  if (first === undefined || manner === 'no-ranges') {
    response.writeHead(200, { 'Content-Length': body.length });
    return void response.end(request.method === 'HEAD' ? undefined : body);
  }
  const part = body.subarray(Number(first), Number(last) + 1);
  const total = manner === 'grows' && first !== '0' ? body.length + 1 : body.length;
  response.writeHead(
    206,
    manner === 'no-range-total' ? {} : { 'Content-Range': `bytes ${first}-${last}/${total}` },
  );
  response.end(manner === 'short' && first !== '0' ? part.subarray(0, 100) : part);
}

const server = createServer(answer);
let origin = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function serve(
  name: string,
  blobs: ReadonlyMap<string, Blob>,
  manner: Manner = 'plain',
): Promise<string> {
  const files = new Map<string, Uint8Array>();
  for (const [file, blob] of blobs) files.set(file, new Uint8Array(await blob.arrayBuffer()));
  folders.set(name, { files, manner });
  requests.length = 0;
  return modelAddress(`${origin}/${name}`);
}

const open = (base: string, signal?: AbortSignal) =>
  openSource({ kind: 'url', base }, { fetchRange: fetchClient, ...(signal ? { signal } : {}) });

const config = tinyConfig('llama');
/** Weights above what is read at first: 1.5 MB. */
const large = tinyConfig('llama', {
  hidden_size: 96,
  intermediate_size: 512,
  num_hidden_layers: 4,
});
const largeFiles = tinyFiles({ config: large, tensors: tinyTensors(large) });

test('a model of an address is the model of the same files', async () => {
  const opened = await open(await serve('large', largeFiles));
  expect(requests).toEqual([
    'GET config.json whole',
    'GET tokenizer.json whole',
    'GET tokenizer_config.json whole',
    'GET generation_config.json whole',
    'GET model.safetensors bytes=0-262143',
  ]);
  expect(opened.storedBytes).toBe(largeFiles.get('model.safetensors')!.size);
  const seen: number[] = [];
  const weights = await opened.load({ onProgress: ({ bytesRead }) => seen.push(bytesRead) });
  expect(requests).toHaveLength(6);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  const local = await openSource(
    { kind: 'files', files: [...largeFiles].map(([path, file]) => ({ path: `m/${path}`, file })) },
    { fetchRange: fetchClient },
  );
  expect(weights).toEqual(await local.load());
  expect((await opened.tokenizer()).encode('paris')).toEqual([14]);
});

test('shards come by their index, sizes by HEAD where ranges do not tell', async () => {
  const files = tinyFiles({ config, tensors: tinyTensors(config, 'F16'), shards: 3 });
  const opened = await open(await serve('shards', files, 'no-range-total'));
  expect(opened.fileNames).toHaveLength(3);
  expect(requests.filter((line) => line.startsWith('HEAD'))).toHaveLength(3);
  expect((await opened.load()).layers).toHaveLength(2);
});

const single = () => tinyFiles({ config, tensors: tinyTensors(config) });

test.each<[Manner, string]>([
  [
    'refuses',
    '/config.json: the server refuses (HTTP 403); the files of a private or gated model can be chosen from disk',
  ],
  [
    'no-ranges',
    '/model.safetensors: the server answers no range requests (HTTP 200); the files can be downloaded and chosen from disk',
  ],
  ['fails', '/model.safetensors: HTTP 500'],
])('a server that %s', async (manner, message) => {
  await expect(open(await serve('m', single(), manner))).rejects.toThrow(`/m${message}`);
});

test.each<[Manner, string]>([
  ['short', 'the answer is cut off: 100 bytes'],
  ['grows', 'the file changed while it was read'],
])('a file that is %s while it loads', async (manner, message) => {
  const opened = await open(await serve('m', largeFiles, manner));
  await expect(opened.load()).rejects.toThrow(message);
});

test('files that are not there are named', async () => {
  const refusal = async (blobs: Map<string, Blob>) =>
    open(await serve('m', blobs)).then(
      () => 'opened',
      (error: Error) => error.message.replace(origin, ''),
    );
  expect(await refusal(new Map())).toBe('/m/config.json: no such file (HTTP 404)');
  const bare = single();
  bare.delete('model.safetensors');
  expect(await refusal(bare)).toBe(
    '/m/: no "model.safetensors" and no "model.safetensors.index.json" there',
  );
  const shards = tinyFiles({ config, tensors: tinyTensors(config), shards: 2 });
  shards.delete('model-00002-of-00002.safetensors');
  expect(await refusal(shards)).toBe(
    'missing shard: "model-00002-of-00002.safetensors" (of 2 that model.safetensors.index.json names)',
  );
  const speechless = single();
  speechless.delete('tokenizer.json');
  const opened = await open(await serve('m', speechless));
  expect(opened.notes).toEqual(['no tokenizer.json: text cannot be read or written']);
  await expect(opened.tokenizer()).rejects.toThrow('missing file: "tokenizer.json"');
});

test('no connection is told as what it may be, and cancelling is no failure', async () => {
  const refused = open('http://127.0.0.1:1/m/');
  await expect(refused).rejects.toThrow(
    'cannot read http://127.0.0.1:1/m/config.json: no connection, or the server does not let other pages read it (CORS)',
  );
  const aborted = open(await serve('m', single()), AbortSignal.abort());
  await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
  const controller = new AbortController();
  const opened = await open(await serve('m', largeFiles), controller.signal);
  controller.abort();
  await expect(opened.load()).rejects.toMatchObject({ name: 'AbortError' });
});

test.each([
  ['https://example.org/models/a', 'https://example.org/models/a/'],
  ['  https://example.org/models/a/config.json?x=1#y ', 'https://example.org/models/a/'],
  ['https://example.org', 'https://example.org/'],
  ['http://localhost:8000/m', 'http://localhost:8000/m/'],
  ['https://huggingface.co/Org/Name', 'https://huggingface.co/Org/Name/resolve/main/'],
  ['https://huggingface.co/Org/Name/tree/v2', 'https://huggingface.co/Org/Name/resolve/v2/'],
  [
    'https://huggingface.co/Org/Name/blob/main/sub/config.json',
    'https://huggingface.co/Org/Name/resolve/main/sub/',
  ],
])('the address %s', (typed, base) => {
  expect(modelAddress(typed)).toBe(base);
});

test.each([
  ['gpt2', 'invalid address: "gpt2" (expected https://host/folder)'],
  [
    'http://example.org/m',
    'invalid address: "http://example.org/m" (expected https, or http for localhost and 127.0.0.1)',
  ],
  [
    'file:///m',
    'invalid address: "file:///m" (expected https, or http for localhost and 127.0.0.1)',
  ],
  [
    'https://me:pw@example.org/',
    'invalid address: a user name or password in it (expected neither)',
  ],
  [
    'https://huggingface.co/models',
    'invalid address: "https://huggingface.co/models" (expected https://huggingface.co/OWNER/NAME)',
  ],
  [
    'https://huggingface.co/a/b/discussions',
    `invalid address: "https://huggingface.co/a/b/discussions" (expected a model's page or its files)`,
  ],
])('refuses the address %s', (typed, message) => {
  expect(() => modelAddress(typed)).toThrow(new Error(message));
});
