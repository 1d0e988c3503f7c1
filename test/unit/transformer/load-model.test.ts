import { expect, test } from 'vitest';
import { createFullCache } from '../../../lib/transformer/full-cache';
import { decodeGreedy, prefill } from '../../../lib/transformer/generate';
import { formatBytes, memoryOf } from '../../../lib/transformer/load/memory';
import { openModel } from '../../../lib/transformer/load/open-model';
import { referenceTransformer } from '../../../lib/transformer/reference';
import type { Architecture } from '../../../lib/transformer/types';
import { tinyConfig, tinyFiles, tinyTensors } from './tiny-model';

const FAMILIES: readonly Architecture[] = ['llama', 'mistral', 'qwen2', 'qwen3'];
const TEXT = [1, 20, 5, 90, 7, 33, 8, 20, 5];

async function logitsOf(files: ReadonlyMap<string, Blob>): Promise<Float32Array> {
  const { config, load } = await openModel(files);
  const model = referenceTransformer(config, await load());
  return prefill(model, createFullCache(config), TEXT, 0);
}

test.each(FAMILIES)(
  '%s: single and sharded, f32, f16 and bf16 are the same model',
  async (family) => {
    const config = tinyConfig(family);
    const plain = await logitsOf(tinyFiles({ config, tensors: tinyTensors(config) }));
    expect(plain).toHaveLength(242);
    expect(plain.every(Number.isFinite)).toBe(true);
    expect(new Set(plain).size).toBeGreaterThan(200);
    for (const dtype of ['F32', 'F16', 'BF16'] as const) {
      for (const shards of [1, 3]) {
        const files = tinyFiles({ config, tensors: tinyTensors(config, dtype), shards });
        expect(await logitsOf(files)).toEqual(plain);
      }
    }
    const other = tinyFiles({ config, tensors: tinyTensors(config, 'F32', 2) });
    expect(await logitsOf(other)).not.toEqual(plain);
  },
);

test.each(FAMILIES)('%s: every tensor has its part in the answer', async (family) => {
  const config = tinyConfig(family);
  const tensors = tinyTensors(config);
  const plain = await logitsOf(tinyFiles({ config, tensors }));
  for (const changed of tensors) {
    const altered = tensors.map((tensor) => {
      if (tensor !== changed) return tensor;
      const data = Float32Array.from(tensor.data as Float32Array, (value) => value * 1.25 + 0.1);
      return { ...tensor, data };
    });
    const logits = await logitsOf(tinyFiles({ config, tensors: altered }));
    expect(logits, changed.name).not.toEqual(plain);
  }
});

test('memory is that of the buffers that are loaded and of a full cache', async () => {
  for (const family of FAMILIES) {
    const json = tinyConfig(family);
    const opened = await openModel(tinyFiles({ config: json, tensors: tinyTensors(json, 'BF16') }));
    const { config, memory } = opened;
    const weights = await opened.load();
    const buffers = [
      weights.embedding,
      weights.finalNorm,
      ...(weights.head ? [weights.head] : []),
      ...weights.layers.flatMap((layer) => Object.values(layer) as Float32Array[]),
    ];
    expect(memory.weightsBytes).toBe(buffers.reduce((sum, { byteLength }) => sum + byteLength, 0));
    const cache = createFullCache(config);
    prefill(referenceTransformer(config, weights), cache, TEXT, 0);
    let cached = 0;
    for (let layer = 0; layer < config.layers; layer++) {
      for (let head = 0; head < config.kvHeads; head++) {
        for (const { count } of cache.parts(layer, head)) cached += count * config.headSize * 8;
      }
    }
    expect(memoryOf(config).kvBytesPerToken * TEXT.length).toBe(cached);
    expect(opened.dtypes).toEqual({ BF16: opened.tensorCount });
  }
});

test('a model of known size has the known number of parameters', () => {
  const { parameters, kvBytesPerToken } = memoryOf({
    architecture: 'llama',
    layers: 30,
    hiddenSize: 576,
    intermediateSize: 1536,
    heads: 9,
    kvHeads: 3,
    headSize: 64,
    vocabularySize: 49_152,
    normEpsilon: 1e-5,
    ropeTheta: 10_000,
    ropeScaling: { type: 'none' },
    tiedHead: true,
    qkvBias: false,
    qkNorm: false,
    maxPositions: 2048,
    eosTokens: [],
  });
  // SmolLM-135M.
  expect(parameters).toBe(134_515_008);
  expect(kvBytesPerToken).toBe(30 * 2 * 3 * 64 * 4);
  expect([0, 1023, 1024, 1536, 1023 * 1024, 538_060_032].map(formatBytes)).toEqual([
    ...['0 bytes', '1023 bytes', '1.00 KiB', '1.50 KiB', '1023 KiB', '513 MiB'],
  ]);
});

test('progress goes forward to the end, file by file, and cancelling stops it', async () => {
  const config = tinyConfig('qwen3');
  const files = tinyFiles({ config, tensors: tinyTensors(config, 'F16'), shards: 2 });
  const opened = await openModel(files);
  const seen: number[] = [];
  const names: string[] = [];
  await opened.load({
    onProgress: ({ bytesRead, bytesTotal, fileName }) => {
      seen.push(bytesRead / bytesTotal);
      if (names.at(-1) !== fileName) names.push(fileName);
    },
  });
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(seen.at(-1)).toBe(1);
  expect(names).toEqual(opened.fileNames);
  const controller = new AbortController();
  let reports = 0;
  const load = opened.load({
    signal: controller.signal,
    onProgress: () => {
      reports++;
      if (reports === 3) controller.abort();
    },
  });
  await expect(load).rejects.toMatchObject({ name: 'AbortError' });
  expect(reports).toBe(3);
  const aborted = openModel(files, { signal: AbortSignal.abort() });
  await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
});

test('nothing but headers is read before the load', async () => {
  const config = tinyConfig('llama');
  const tensors = tinyTensors(config);
  const weights = tinyFiles({ config, tensors }).get('model.safetensors')!;
  const headerBytes = weights.size - tensors.reduce((sum, { data }) => sum + data.byteLength, 0);
  let furthest = 0;
  const watched = {
    size: weights.size,
    slice(start: number, end: number) {
      furthest = Math.max(furthest, end);
      return weights.slice(start, end);
    },
  };
  const files = new Map<string, typeof watched | Blob>(tinyFiles({ config, tensors }));
  const opened = await openModel(files.set('model.safetensors', watched));
  expect(furthest).toBe(headerBytes);
  await opened.load();
  expect(furthest).toBe(weights.size);
});

test('a loaded model generates text through its tokenizer', async () => {
  const config = tinyConfig('llama');
  const opened = await openModel(tinyFiles({ config, tensors: tinyTensors(config) }));
  const tokenizer = await opened.tokenizer();
  const model = referenceTransformer(opened.config, await opened.load());
  const cache = createFullCache(opened.config);
  const prompt = tokenizer.encode('paris : 10 ; oslo : 11 ; paris ?');
  const logits = prefill(model, cache, prompt, 0);
  const stop = new Set(opened.config.eosTokens);
  const tokens = decodeGreedy(model, cache, logits, prompt.length, 5, stop);
  expect(tokenizer.decode(tokens).split(' ')).toHaveLength(tokens.length);
  expect(tokens.length).toBeGreaterThan(0);
});
