import { makeProgram } from '../../../lib/attention/program';
import { bfloatsToNumbers, roundToBfloats } from '../../../lib/attention/quantise/bfloat';
import { halvesToNumbers, roundToHalves } from '../../../lib/attention/quantise/half';
import { quantise } from '../../../lib/attention/quantise/quantise';
import { prepareAttention } from '../../../lib/gpu/attention-job';
import { type GpuDevice, openDevice } from '../../../lib/gpu/device';
import { prepareWasmCall } from '../../../lib/gpu/formula-wasm';
import { preparePaged } from '../../../lib/gpu/paged-job';
import { PLANS } from '../../../lib/gpu/plans';
import { type DecodeKernel, prepareQuantised } from '../../../lib/gpu/quantised-job';
import { ResidentAttention } from '../../../lib/gpu/resident';
import type { DecodeJob } from '../../../lib/gpu/split-decode';
import type { Storage } from '../../../lib/gpu/stored';
import { isTexelStorage } from '../../../lib/gpu/texels';
import { createRandom } from '../../../lib/random/random';
import { attentionParams } from '../../../lib/spec/kinds/attention';
import {
  type DrawnCall,
  drawCall,
  drawLengths,
  drawScheme,
  drawTensors,
} from '../../fuzz/draw-call';
import { findMismatch, plainCodes, plainNumbers } from '../../fuzz/plain-attention';

/** Outcome of one drawn call on one engine; `problem` is undefined where it is right. */
export interface FuzzOutcome {
  readonly engine: string;
  readonly problem: string | undefined;
  readonly call: DrawnCall;
  readonly details: unknown;
}

let opened: Promise<GpuDevice | undefined> | undefined;

async function device(): Promise<GpuDevice> {
  opened ??= openDevice();
  const gpu = await opened;
  if (gpu === undefined) throw new Error('no WebGPU adapter in the test browser');
  return gpu;
}

const STORAGES = ['f32', 'half-words', 'bfloat-words', 'half'] as const;
const KERNELS: readonly DecodeKernel[] = ['texels', 'quad', 'tile'];

const inStorage = (tensor: Float32Array, storage: Storage) => {
  if (storage === 'f32') return tensor;
  return storage === 'bfloat-words'
    ? bfloatsToNumbers(roundToBfloats(tensor))
    : halvesToNumbers(roundToHalves(tensor));
};

const programOf = ({ shape, mask, seed }: DrawnCall) =>
  makeProgram(attentionParams.parse({ shape, variant: mask, seed: 1 + (seed % 1000) }));

type Run = () => Promise<{ readonly problem: string | undefined; readonly details?: unknown }>;

const told = (mismatch: ReturnType<typeof findMismatch>) =>
  mismatch &&
  `batch ${mismatch.batch}, head ${mismatch.head}, query ${mismatch.query}: ${mismatch.what}`;

async function readAfter(job: DecodeJob) {
  try {
    await job.run(undefined);
    return await job.read();
  } finally {
    job.destroy();
  }
}

const optionsOf = ({ splits, gigaflopsPerSecond }: DrawnCall) => ({
  gigaflopsPerSecond,
  ...(splits === 0 ? {} : { splits }),
});

/** A plan over numbers in one storage. */
function planRun(call: DrawnCall, planId: string, storage: Storage): Run {
  return async () => {
    const gpu = await device();
    const plan = PLANS.find(({ id }) => id === planId)!;
    const { shape, mask } = call;
    const { query, key, value } = drawTensors(call);
    const inputs = { shape, query, key, value, program: programOf(call) };
    const resident = await ResidentAttention.upload(gpu, inputs, storage);
    try {
      const job = await prepareAttention(gpu, resident, inputs, plan, optionsOf(call));
      await job.run(undefined);
      const actual = await resident.read(gpu);
      job.destroy();
      const numbers = (tensor: Float32Array) =>
        plainNumbers(inStorage(tensor, storage), shape.keys, shape.headSize);
      const plain = { shape, query, key: numbers(key), value: numbers(value), mask };
      return { problem: told(findMismatch(plain, actual)) };
    } finally {
      resident.destroy();
    }
  };
}

function wasmRun(call: DrawnCall): Run {
  return async () => {
    const { shape, mask } = call;
    const { query, key, value } = drawTensors(call);
    const { lane } = prepareWasmCall({ shape, query, key, value, program: programOf(call) });
    while (lane.runSome(50)) {
      // Until nothing is left.
    }
    const numbers = (tensor: Float32Array) => plainNumbers(tensor, shape.keys, shape.headSize);
    const plain = { shape, query, key: numbers(key), value: numbers(value), mask };
    return { problem: told(findMismatch(plain, lane.attention)) };
  };
}

function packedRun(call: DrawnCall, kernel: DecodeKernel): Run {
  return async () => {
    const gpu = await device();
    const { shape, mask, seed } = call;
    const { query, key, value } = drawTensors(call);
    const rows = {
      heads: shape.batch * shape.kvHeads,
      rows: shape.keys,
      columns: shape.headSize,
    };
    const schemes = { key: drawScheme(seed, shape), value: drawScheme(seed + 1, shape) };
    const packed = {
      key: quantise(key, rows, schemes.key),
      value: quantise(value, rows, schemes.value),
    };
    const inputs = { shape, query, program: programOf(call), ...packed };
    const job = await prepareQuantised(gpu, inputs, kernel, optionsOf(call));
    const actual = await readAfter(job);
    const tensors = { key: plainCodes(packed.key), value: plainCodes(packed.value) };
    return {
      problem: told(findMismatch({ shape, query, mask, ...tensors }, actual)),
      details: schemes,
    };
  };
}

/** Pages of a seeded permutation; rows that no token owns are NaN, and so are entries past a length. */
function pagedRun(call: DrawnCall, kernel: DecodeKernel, storage: Storage): Run {
  return async () => {
    const gpu = await device();
    const { shape, seed } = call;
    const { batch, kvHeads, keys, headSize } = shape;
    const random = createRandom(seed).fork('pages');
    const pageTokens = random.uniform() < 0.5 ? 16 : 32;
    const isCausal = random.uniform() < 0.5;
    const lengths = drawLengths(seed, shape);
    const { query, key, value } = drawTensors(call);
    const perSequence = Math.ceil(keys / pageTokens) + random.integer(0, 2);
    const used = lengths.reduce((sum, each) => sum + Math.ceil(each / pageTokens), 0);
    const pages = used + random.integer(0, 3);
    const order = Array.from({ length: pages }, (_, i) => i);
    for (let i = pages - 1; i > 0; i--) {
      const j = random.integer(0, i);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    const blockTable = new Uint32Array(batch * perSequence).fill(2 ** 31);
    const pool = () => new Float32Array(pages * kvHeads * pageTokens * headSize).fill(Number.NaN);
    const [keyPool, valuePool] = [pool(), pool()];
    for (const [b, length] of lengths.entries()) {
      for (let t = 0; t < length; t++) {
        const slot = b * perSequence + Math.floor(t / pageTokens);
        if (t % pageTokens === 0) blockTable[slot] = order.pop()!;
        for (let h = 0; h < kvHeads; h++) {
          const from = ((b * kvHeads + h) * keys + t) * headSize;
          const to = ((blockTable[slot]! * kvHeads + h) * pageTokens + (t % pageTokens)) * headSize;
          keyPool.set(key.subarray(from, from + headSize), to);
          valuePool.set(value.subarray(from, from + headSize), to);
        }
      }
    }
    const job = await preparePaged(
      gpu,
      {
        shape,
        query,
        keyPool,
        valuePool,
        pageTokens,
        blockTable,
        lengths: Uint32Array.from(lengths),
        isCausal,
        storage,
      },
      kernel,
      optionsOf(call),
    );
    const actual = await readAfter(job);
    const numbers = (tensor: Float32Array) =>
      plainNumbers(inStorage(tensor, storage), keys, headSize);
    const mask = { type: isCausal ? 'causal' : 'dense' } as const;
    const plain = { shape, query, key: numbers(key), value: numbers(value), mask, lengths };
    return {
      problem: told(findMismatch(plain, actual)),
      details: { pageTokens, lengths, isCausal },
    };
  };
}

/** What of a seed is run: an engine, and the call that it gets. */
function drawRun(seed: number, hasHalf: boolean): { engine: string; call: DrawnCall; run: Run } {
  const random = createRandom(seed).fork('engine');
  const kernel = KERNELS[random.integer(0, KERNELS.length - 1)]!;
  const all = STORAGES.slice(0, hasHalf ? 4 : 3);
  const drawn = all[random.integer(0, all.length - 1)]!;
  const what = random.integer(0, 9);
  if (what < 3) {
    const call = drawCall(seed, 'decode', { multiple: random.uniform() < 0.5 ? 8 : 16 });
    return { engine: `packed ${kernel}`, call, run: packedRun(call, kernel) };
  }
  if (what < 5) {
    const storage = kernel === 'texels' && !isTexelStorage(drawn) ? 'half-words' : drawn;
    const call = drawCall(seed, 'decode');
    return { engine: `paged ${kernel} ${storage}`, call, run: pagedRun(call, kernel, storage) };
  }
  const family = what < 8 ? 'decode' : 'prefill';
  if (what === 5 || (what === 9 && random.uniform() < 0.4)) {
    const call = drawCall(seed, family);
    return { engine: `wasm ${family}`, call, run: wasmRun(call) };
  }
  const plans = PLANS.filter((plan) => plan.family === family);
  const plan = plans[random.integer(0, plans.length - 1)]!;
  const storage = plan.readsTexels === true && !isTexelStorage(drawn) ? 'half-words' : drawn;
  const call = drawCall(seed, family, { mostHeadSize: plan.maxHeadSize ?? 256 });
  return { engine: `${plan.id} ${storage}`, call, run: planRun(call, plan.id, storage) };
}

/** Runs the call of one seed against f64 attention by its definition. */
async function fuzz(seed: number): Promise<FuzzOutcome> {
  const { hasShaderF16, hasSubgroups } = (await device()).info;
  if (!hasSubgroups) throw new Error('the adapter of these tests has no subgroups');
  const { engine, call, run } = drawRun(seed, hasShaderF16);
  try {
    const { problem, details } = await run();
    return { engine, call, problem, details };
  } catch (error) {
    return { engine, call, problem: String(error), details: undefined };
  }
}

export const fuzzTests = { fuzz };
export type FuzzTests = typeof fuzzTests;
Object.assign(globalThis, { kernelTests: fuzzTests });
