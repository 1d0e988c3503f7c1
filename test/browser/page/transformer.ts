import { type GpuDevice, openDevice } from '../../../lib/gpu/device';
import { createGpuTransformer } from '../../../lib/gpu/transformer';
import { createFullCache } from '../../../lib/transformer/full-cache';
import { prefill, prefillAsync } from '../../../lib/transformer/generate';
import { openModel } from '../../../lib/transformer/load/open-model';
import { createWasmTransformer } from '../../../lib/wasm/transformer';
import { TRANSFORMER_CASES } from '../../transformer/cases';
import { compareEngines, type EngineDifference } from '../../transformer/compare-engines';
import {
  compareHeldRuns,
  HELD_CASES,
  heldReference,
  runHeldCase,
} from '../../transformer/held-cases';
import { configOf, randomTokens, randomWeights } from '../../transformer/random-model';
import { GOLDEN_MODELS, GOLDEN_TOKENS } from '../../unit/transformer/golden-models';
import { tinyFiles, tinyTensors } from '../../unit/transformer/tiny-model';

let opened: Promise<GpuDevice | undefined> | undefined;

async function device(): Promise<GpuDevice> {
  opened ??= openDevice();
  const gpu = await opened;
  if (gpu === undefined) throw new Error('no WebGPU adapter in the test browser');
  return gpu;
}

/** A case on the device, every step of it, against the reference. */
async function compareCase(name: string): Promise<EngineDifference> {
  const one = TRANSFORMER_CASES.find((each) => each.name === name);
  if (one === undefined) throw new Error(`unknown case: ${name}`);
  const gpu = await device();
  let destroy = () => {};
  try {
    return await compareEngines(one, async ({ config, weights }) => {
      const cpu = createWasmTransformer(config, weights);
      const model = await createGpuTransformer(gpu, cpu, { minHeldRows: 1, minLayerRows: 1 });
      destroy = model.destroy;
      return model.forwardAsync;
    });
  } finally {
    destroy();
  }
}

/** A case over slots that the device holds, against the reference; and where its steps ran. */
async function compareHeld(name: string) {
  const one = HELD_CASES.find((each) => each.name === name);
  if (one === undefined) throw new Error(`unknown case: ${name}`);
  const reference = heldReference(one);
  const cpu = createWasmTransformer(one.config, reference.weights);
  const model = await createGpuTransformer(await device(), cpu);
  try {
    const expected = await runHeldCase(one, reference.forward, reference);
    const actual = await runHeldCase(one, model.forwardAsync, cpu);
    return { ...compareHeldRuns(expected, actual), tally: model.tally() };
  } finally {
    model.destroy();
  }
}

/** Logits of a golden model on the device, the last rows one by one as decoding has them. */
async function goldenLogits(name: string): Promise<readonly number[]> {
  const json = GOLDEN_MODELS[name];
  if (json === undefined) throw new Error(`unknown model: ${name}`);
  const opened = await openModel(tinyFiles({ config: json, tensors: tinyTensors(json) }));
  const cpu = createWasmTransformer(opened.config, await opened.load());
  const model = await createGpuTransformer(await device(), cpu);
  try {
    const cache = createFullCache(opened.config);
    const read = GOLDEN_TOKENS.length - 4;
    await prefillAsync(model, cache, GOLDEN_TOKENS.slice(0, read), 0, { chunkTokens: 20 });
    const rest = GOLDEN_TOKENS.slice(read);
    return [...(await prefillAsync(model, cache, rest, read, { chunkTokens: 1 }))];
  } finally {
    model.destroy();
  }
}

/** Two calls at once over caches of their own, and one of few rows; whether each is as it is alone. */
async function overlap(): Promise<readonly number[]> {
  const config = configOf({ layers: 2 });
  const cpu = createWasmTransformer(config, randomWeights(config, 4));
  const model = await createGpuTransformer(await device(), cpu);
  const stepOf = (rows: number, seed: number) => {
    const tokens = randomTokens(config, rows, seed);
    return { tokens, positions: tokens.map((_, i) => i), cache: createFullCache(config) };
  };
  const wanted = [
    [40, 1],
    [20, 2],
    [3, 3],
  ] as const;
  try {
    const results = await Promise.all(
      wanted.map(([rows, seed]) => model.forwardAsync(stepOf(rows, seed))),
    );
    return results.map(({ logits }, i) => {
      const [rows, seed] = wanted[i]!;
      const alone = cpu.forward(stepOf(rows, seed)).logits;
      return Math.max(...logits.map((logit, at) => Math.abs(logit - alone[at]!)));
    });
  } finally {
    model.destroy();
  }
}

/** Prefill in chunks on the device and on the CPU: the largest difference, and what a stop ends in. */
async function prefillBoth(): Promise<{ readonly difference: number; readonly stopped: string }> {
  const config = configOf({ layers: 2 });
  const cpu = createWasmTransformer(config, randomWeights(config, 4));
  const model = await createGpuTransformer(await device(), cpu);
  const tokens = randomTokens(config, 70, 1);
  try {
    const options = { chunkTokens: 32 };
    const expected = prefill(cpu, createFullCache(config), tokens, 5, options);
    const logits = await prefillAsync(model, createFullCache(config), tokens, 5, options);
    const signal = AbortSignal.abort();
    const stopped = await prefillAsync(model, createFullCache(config), tokens, 5, { signal }).then(
      () => 'nothing',
      (error: Error) => error.name,
    );
    const difference = Math.max(...logits.map((logit, i) => Math.abs(logit - expected[i]!)));
    return { difference, stopped };
  } finally {
    model.destroy();
  }
}

/** What a wrong step is answered, and whether the next one is computed. */
async function refuse(): Promise<{ readonly message: string; readonly logits: number }> {
  const config = configOf({ layers: 1 });
  const cpu = createWasmTransformer(config, randomWeights(config, 4));
  const model = await createGpuTransformer(await device(), cpu);
  const tokens = randomTokens(config, 20, 1);
  const positions = tokens.map((_, i) => i);
  const cache = createFullCache(config);
  try {
    const wrong = model.forwardAsync({ tokens, positions: [0], cache });
    const message = await wrong.then(
      () => 'none',
      (error: Error) => error.message,
    );
    const { logits } = await model.forwardAsync({ tokens, positions, cache });
    return { message, logits: logits.length };
  } finally {
    model.destroy();
  }
}

const transformerTests = { compareCase, compareHeld, goldenLogits, overlap, prefillBoth, refuse };
export type TransformerTests = typeof transformerTests;
Object.assign(globalThis, { kernelTests: transformerTests });
