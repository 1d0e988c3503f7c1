import { compareOutputs } from '../../../lib/attention/compare';
import { makeInputs } from '../../../lib/attention/inputs';
import { makeProgram } from '../../../lib/attention/program';
import { tensorError } from '../../../lib/attention/quantise/error';
import { halvesToNumbers, roundToHalves } from '../../../lib/attention/quantise/half';
import { dequantise, quantise } from '../../../lib/attention/quantise/quantise';
import type { QuantisationScheme } from '../../../lib/attention/quantise/types';
import { attentionReference } from '../../../lib/attention/reference';
import type { AttentionInputs } from '../../../lib/attention/types';
import { prepareAttention } from '../../../lib/gpu/attention-job';
import { type GpuDevice, openDevice } from '../../../lib/gpu/device';
import { type PagedInputs, preparePaged } from '../../../lib/gpu/paged-job';
import { planById } from '../../../lib/gpu/plans';
import { type DecodeKernel, prepareQuantised } from '../../../lib/gpu/quantised-job';
import { ResidentAttention } from '../../../lib/gpu/resident';
import type { DecodeJob, DecodeOptions } from '../../../lib/gpu/split-decode';
import { halfStorage, type Storage } from '../../../lib/gpu/stored';
import { createRandom } from '../../../lib/random/random';
import {
  type AttentionShape,
  type AttentionVariant,
  attentionParams,
} from '../../../lib/spec/kinds/attention';

let opened: Promise<GpuDevice | undefined> | undefined;

async function device(): Promise<GpuDevice> {
  opened ??= openDevice();
  const gpu = await opened;
  if (gpu === undefined) throw new Error('no WebGPU adapter in the test browser');
  return gpu;
}

const NO_LIMIT = { maxFlops: Number.POSITIVE_INFINITY };

interface Schemes {
  readonly key: QuantisationScheme;
  readonly value: QuantisationScheme;
}

interface RunOptions extends Partial<DecodeOptions> {
  readonly runs?: number;
}

const inputsOf = (shape: AttentionShape, variant: AttentionVariant) =>
  makeInputs(attentionParams.parse({ shape, variant, seed: 11 }));

/** K and V quantised, beside the inputs that have what the codes stand for. */
function quantisedInputs(inputs: AttentionInputs, schemes: Schemes) {
  const { batch, kvHeads, keys, headSize } = inputs.shape;
  const shape = { heads: batch * kvHeads, rows: keys, columns: headSize };
  const key = quantise(inputs.key, shape, schemes.key);
  const value = quantise(inputs.value, shape, schemes.value);
  return {
    packed: { ...inputs, key, value },
    rounded: { ...inputs, key: dequantise(key), value: dequantise(value) },
    bytes: key.bytes.total + value.bytes.total,
  };
}

async function readAfter(job: DecodeJob, runs = 1) {
  try {
    for (let run = 0; run < runs; run++) await job.run(undefined);
    return await job.read();
  } finally {
    job.destroy();
  }
}

/** Error against f64 attention over the dequantised tensors, and distance from the unquantised. */
async function runQuantised(
  kernel: DecodeKernel,
  shape: AttentionShape,
  variant: AttentionVariant,
  schemes: Schemes,
  { runs, ...options }: RunOptions = {},
) {
  const inputs = inputsOf(shape, variant);
  const { packed, rounded, bytes } = quantisedInputs(inputs, schemes);
  const job = await prepareQuantised(await device(), packed, kernel, {
    gigaflopsPerSecond: 1,
    ...options,
  });
  const actual = await readAfter(job, runs);
  return {
    ...compareOutputs(rounded, actual, NO_LIMIT),
    distance: tensorError(actual.output, attentionReference(inputs).output).relativeL2,
    submits: job.submits,
    splits: job.splits,
    bytes,
    cacheBytes: job.cacheBytes,
  };
}

interface PagedCase {
  readonly shape: AttentionShape;
  readonly pageTokens: 16 | 32;
  readonly lengths: readonly number[];
  readonly isCausal: boolean;
  /** Tensors are rounded where it is f16. */
  readonly storage?: Storage;
}

/**
 * Moves contiguous keys and values into the pages of a seeded permutation, with spare pages; rows
 * that no token owns are NaN, and table entries past a length point nowhere.
 */
function paged(inputs: AttentionInputs, each: PagedCase, seed: number): PagedInputs {
  const { shape, pageTokens, lengths, isCausal } = each;
  const { batch, kvHeads, keys, headSize } = shape;
  const random = createRandom(seed);
  const perSequence = Math.ceil(keys / pageTokens) + 1;
  const pages = lengths.reduce((sum, tokens) => sum + Math.ceil(tokens / pageTokens), 3);
  const order = Array.from({ length: pages }, (_, i) => i);
  for (let i = pages - 1; i > 0; i--) {
    const j = random.integer(0, i);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  const blockTable = new Uint32Array(batch * perSequence).fill(2 ** 31);
  const pool = () => new Float32Array(pages * kvHeads * pageTokens * headSize).fill(Number.NaN);
  const keyPool = pool();
  const valuePool = pool();
  lengths.forEach((tokens, b) => {
    for (let t = 0; t < tokens; t++) {
      const slot = b * perSequence + Math.floor(t / pageTokens);
      if (t % pageTokens === 0) blockTable[slot] = order.pop()!;
      for (let h = 0; h < kvHeads; h++) {
        const from = ((b * kvHeads + h) * keys + t) * headSize;
        const row = (blockTable[slot]! * kvHeads + h) * pageTokens + (t % pageTokens);
        keyPool.set(inputs.key.subarray(from, from + headSize), row * headSize);
        valuePool.set(inputs.value.subarray(from, from + headSize), row * headSize);
      }
    }
  });
  return {
    shape,
    query: inputs.query,
    keyPool,
    valuePool,
    pageTokens,
    blockTable,
    lengths: Uint32Array.from(lengths),
    isCausal,
    storage: each.storage,
  };
}

/** One sequence of a ragged batch as a call of its own. */
function sequence(inputs: AttentionInputs, each: PagedCase, b: number): AttentionInputs {
  const { kvHeads, keys, queryHeads, queries, headSize } = each.shape;
  const length = each.lengths[b]!;
  const shape = { ...each.shape, batch: 1, keys: length };
  const variant = { type: each.isCausal ? 'causal' : 'dense' } as const;
  const cut = (tensor: Float32Array) => {
    const out = new Float32Array(kvHeads * length * headSize);
    for (let h = 0; h < kvHeads; h++) {
      const from = (b * kvHeads + h) * keys * headSize;
      out.set(tensor.subarray(from, from + length * headSize), h * length * headSize);
    }
    return out;
  };
  const rows = queryHeads * queries * headSize;
  return {
    shape,
    query: inputs.query.subarray(b * rows, (b + 1) * rows),
    key: cut(inputs.key),
    value: cut(inputs.value),
    program: makeProgram(attentionParams.parse({ shape, variant })),
  };
}

/** Each sequence against f64, and whether another order of pages gives the same bits. */
async function runPaged(kernel: DecodeKernel, each: PagedCase, options: RunOptions = {}) {
  const gpu = await device();
  const made = inputsOf(each.shape, { type: 'dense' });
  const rounded = (tensor: Float32Array) => halvesToNumbers(roundToHalves(tensor));
  const inputs =
    (each.storage ?? 'f32') === 'f32'
      ? made
      : { ...made, key: rounded(made.key), value: rounded(made.value) };
  const run = async (seed: number) => {
    const job = await preparePaged(gpu, paged(inputs, each, seed), kernel, {
      gigaflopsPerSecond: 1,
      ...options,
    });
    const { splits, cacheBytes } = job;
    return { ...(await readAfter(job, options.runs)), splits, cacheBytes };
  };
  const first = await run(1);
  const second = await run(2);
  const rows = first.lse.length / each.shape.batch;
  return {
    splits: first.splits,
    cacheBytes: first.cacheBytes,
    isSameInAnyOrder:
      first.output.every((value, i) => Object.is(value, second.output[i])) &&
      first.lse.every((value, i) => Object.is(value, second.lse[i])),
    errors: each.lengths.map((_, b) =>
      compareOutputs(
        sequence(inputs, each, b),
        {
          output: first.output.subarray(
            b * rows * each.shape.headSize,
            (b + 1) * rows * each.shape.headSize,
          ),
          lse: first.lse.subarray(b * rows, (b + 1) * rows),
        },
        NO_LIMIT,
      ),
    ),
  };
}

const CONTIGUOUS = { quad: 'quad-split-4', tile: 'tile-split', texels: 'texels-split-4' } as const;

/** Largest difference of the paged kernel from the contiguous one of the same make. */
async function pagedFromContiguous(kernel: DecodeKernel, each: PagedCase) {
  const gpu = await device();
  const inputs = inputsOf(each.shape, { type: each.isCausal ? 'causal' : 'dense' });
  const options = { gigaflopsPerSecond: 1, splits: 3 };
  const job = await preparePaged(gpu, paged(inputs, each, 1), kernel, options);
  const actual = await readAfter(job);
  const resident = await ResidentAttention.upload(gpu, inputs);
  const plan = planById(CONTIGUOUS[kernel]);
  const contiguous = await prepareAttention(gpu, resident, inputs, plan, options);
  await contiguous.run(undefined);
  const expected = await resident.read(gpu);
  contiguous.destroy();
  resident.destroy();
  return {
    output: tensorError(actual.output, expected.output).maxAbs,
    lse: tensorError(actual.lse, expected.lse).maxAbs,
  };
}

const messageOf = (run: Promise<unknown>): Promise<string> =>
  run.then(
    () => 'no error',
    (error: unknown) => String(error),
  );

/** What is said of a paged call with some fields replaced. */
async function pagedFailure(each: PagedCase, changes: { table?: number[]; lengths?: number[] }) {
  const inputs = paged(inputsOf(each.shape, { type: 'dense' }), each, 1);
  const changed = {
    ...inputs,
    ...(changes.table ? { blockTable: Uint32Array.from(changes.table) } : {}),
    ...(changes.lengths ? { lengths: Uint32Array.from(changes.lengths) } : {}),
  };
  return messageOf(preparePaged(await device(), changed, 'tile', { gigaflopsPerSecond: 1 }));
}

/** What is said of packed tensors of another shape than the call's. */
async function quantisedFailure(shape: AttentionShape, schemes: Schemes, claimed: AttentionShape) {
  const { packed } = quantisedInputs(inputsOf(shape, { type: 'dense' }), schemes);
  const inputs = { ...packed, shape: claimed };
  return messageOf(prepareQuantised(await device(), inputs, 'tile', { gigaflopsPerSecond: 1 }));
}

/** Aborts after the first of many submits; how the run ends and whether the next one is right. */
async function abortAndRunAgain(kernel: DecodeKernel, shape: AttentionShape, schemes: Schemes) {
  const { packed, rounded } = quantisedInputs(inputsOf(shape, { type: 'causal' }), schemes);
  const job = await prepareQuantised(await device(), packed, kernel, { gigaflopsPerSecond: 1e-4 });
  const controller = new AbortController();
  const running = messageOf(job.run(undefined, controller.signal));
  controller.abort();
  const ended = await running;
  const error = compareOutputs(rounded, await readAfter(job), NO_LIMIT);
  return { ended, submits: job.submits, withinTolerance: error.withinTolerance };
}

export const quantisedTests = {
  runQuantised,
  runPaged,
  pagedFromContiguous,
  pagedFailure,
  quantisedFailure,
  abortAndRunAgain,
  adapter: async () => (await device()).info,
  chosenStorage: async () => halfStorage((await device()).info),
};
export type QuantisedTests = typeof quantisedTests;
Object.assign(globalThis, { kernelTests: quantisedTests });
