import type { AdapterInfo } from '../../../lib/attention/types';
import { openDevice } from '../../../lib/gpu/device';
import { createGpuTransformer, type GpuTransformer } from '../../../lib/gpu/transformer';
import { createFullCache } from '../../../lib/transformer/full-cache';
import { prefillAsync } from '../../../lib/transformer/generate';
import type { AttentionCache, Transformer } from '../../../lib/transformer/types';
import { createWasmTransformer } from '../../../lib/wasm/transformer';
import { configOf, randomTokens, randomWeights } from '../../transformer/random-model';

/** What is timed: a prompt, one with all attention weights, or tokens after one. */
export type Work = 'prefill' | 'observed prefill' | 'decode';
export type PageEngine = 'wasm' | 'webgpu';

const config = configOf();
const wasm = createWasmTransformer(config, randomWeights(config, 1));
let device: { readonly model: GpuTransformer; readonly adapter: AdapterInfo } | undefined;
let work: (() => Promise<void>) | undefined;

async function open(): Promise<AdapterInfo> {
  const gpu = await openDevice();
  if (gpu === undefined) throw new Error('no WebGPU adapter in this browser');
  device = { model: await createGpuTransformer(gpu, wasm), adapter: gpu.info };
  return device.adapter;
}

/** Reads the context for the samples that follow. */
async function prepare(
  engine: PageEngine,
  name: Work,
  contextTokens: number,
  decodeTokens: number,
): Promise<void> {
  const model: Transformer | undefined = engine === 'wasm' ? wasm : device?.model;
  if (model === undefined) throw new Error('open comes first');
  const context = randomTokens(config, contextTokens, 1);
  const next = randomTokens(config, decodeTokens, 2);
  const read = (cache: AttentionCache) => prefillAsync(model, cache, context, 0);
  if (name === 'decode') {
    const cache = createFullCache(config);
    await read(cache);
    work = async () => {
      cache.truncate(contextTokens);
      await prefillAsync(model, cache, next, contextTokens, { chunkTokens: 1 });
    };
    return;
  }
  work = async () => {
    const cache = createFullCache(config);
    await read(name === 'prefill' ? cache : { ...cache, observe: () => {} });
  };
}

/** Wall milliseconds of each run. */
async function sample(runs: number): Promise<readonly number[]> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    await work?.();
    times.push(performance.now() - start);
  }
  return times;
}

Object.assign(globalThis, { kernelTests: { open, prepare, sample } });
