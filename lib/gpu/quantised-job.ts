import type { AttentionProgram } from '../attention/program';
import type { Quantised } from '../attention/quantise/types';
import type { AttentionShape } from '../spec/kinds/attention';
import { codesInTexels, codeTexelConstants, fitsCodeTexels } from './code-texels';
import type { GpuDevice } from './device';
import { ownedBuffers } from './owned-buffers';
import { packBlockList } from './packed-list';
import { type PackedTensor, packedConstants, packTensor } from './packed-tensor';
import { attentionParamsView } from './params';
import { DECODE_QUERIES, type DecodePlan, rowsPerKvHead } from './plans';
import { type DecodeJob, type DecodeOptions, prepareSplitDecode } from './split-decode';
import { variantSlots } from './variant-slots';

/** Attention whose keys and values stay packed. */
export interface QuantisedInputs {
  readonly shape: AttentionShape;
  /** [batch, queryHeads, queries, headSize]. */
  readonly query: Float32Array;
  /** Heads are batch x kvHeads, rows are keys, columns are channels. */
  readonly key: Quantised;
  readonly value: Quantised;
  readonly program: AttentionProgram;
}

/**
 * Keys and values in textures, with quad exchange, or in buffers: registers and quad exchange, which
 * both need subgroups, or workgroup memory.
 */
export type DecodeKernel = 'texels' | 'quad' | 'tile';

const QUAD_WORKGROUP = 16;
const QUAD_KEYS = 32;
/** Most vec4 of an output row that a lane of a quad holds. */
const MAX_VECTORS = 8;
/** Block lists are made from the shape and the program alone. */
const UNREAD = new Float32Array(0);

function quantisedPlan(
  kernel: DecodeKernel,
  { shape, key, value }: QuantisedInputs,
  packedKey: PackedTensor,
  packedValue: PackedTensor,
): DecodePlan {
  const constants = { ...packedConstants(0, key), ...packedConstants(1, value) };
  const id = `quantised-${kernel}-k${key.scheme.bits}-v${value.scheme.bits}`;
  if (kernel === 'tile') {
    return {
      id,
      label: 'split-KV over packed keys and values through shared memory',
      family: 'decode',
      needsSubgroups: false,
      blockKeys: 64,
      rowsPerGroup: 1,
      splitsPerWorkgroup: 1,
      kernel: () => ({ file: 'decode-quantised-tile.wgsl', constants }),
      chunks: () => 1,
    };
  }
  const rows = Math.min(4, rowsPerKvHead(shape));
  const tokens = packedKey.channelGroupTokens;
  const folds = { FOLDS_KEY: Number(tokens !== undefined && tokens % QUAD_KEYS === 0) };
  if (kernel === 'texels') {
    return {
      id,
      label: `split-KV over packed keys and values in textures, ${rows} rows per quad`,
      family: 'decode',
      needsSubgroups: true,
      readsTexels: true,
      blockKeys: QUAD_KEYS,
      rowsPerGroup: rows,
      splitsPerWorkgroup: QUAD_WORKGROUP / 4,
      kernel: () => ({
        file: 'decode-quantised-texels.wgsl',
        constants: {
          ...constants,
          ...folds,
          ...codeTexelConstants(key, value),
          TAKES_KEY: 1 - folds.FOLDS_KEY,
          ROWS: rows,
          KEYS: 2,
          BLOCK_KEYS: QUAD_KEYS,
        },
        overrides: { WORKGROUP: QUAD_WORKGROUP },
      }),
      chunks: () => 1,
    };
  }
  const words = shape.headSize / 4 / packedValue.vectorsPerWord;
  const slices = Math.min(MAX_VECTORS / packedValue.vectorsPerWord, Math.ceil(words / 4));
  return {
    id,
    label: `split-KV over packed keys and values in registers, ${rows} rows per quad`,
    family: 'decode',
    needsSubgroups: true,
    blockKeys: QUAD_KEYS,
    rowsPerGroup: rows,
    splitsPerWorkgroup: QUAD_WORKGROUP / 4,
    kernel: () => ({
      file: 'decode-quantised-quad.wgsl',
      constants: {
        ...constants,
        ROWS: rows,
        KEY_STEPS: QUAD_KEYS / 4,
        SLICES: slices,
        ...folds,
      },
      overrides: { WORKGROUP: QUAD_WORKGROUP },
    }),
    chunks: () => Math.ceil(words / (4 * slices)),
  };
}

function checkInputs({ shape, query, key, value }: QuantisedInputs): void {
  const { batch, queryHeads, kvHeads, queries, keys, headSize } = shape;
  if (queries > DECODE_QUERIES) {
    throw new RangeError(`invalid queries: ${queries} (expected 1..${DECODE_QUERIES})`);
  }
  const elements = batch * queryHeads * queries * headSize;
  if (query.length !== elements) {
    throw new RangeError(`invalid query length: ${query.length} (expected ${elements})`);
  }
  const expected = [batch * kvHeads, keys, headSize].join(' x ');
  for (const [name, tensor] of Object.entries({ key, value })) {
    const { heads, rows, columns } = tensor.shape;
    const actual = [heads, rows, columns].join(' x ');
    if (actual !== expected) {
      throw new RangeError(`invalid ${name} shape: ${actual} (expected ${expected})`);
    }
  }
}

/**
 * Uploads a query with packed keys and values and binds the split-KV kernel that unpacks them;
 * masks and score formulas work as in `prepareAttention`. Scales in f16 need no feature.
 *
 * @throws RangeError above 8 queries, for a head size that is no multiple of 8 (of 16 with 2 bits)
 * up to 256, groups of channels that are no multiples of 4, tensors that do not fit the shape, or
 * the quad kernel without subgroups
 */
export async function prepareQuantised(
  gpu: GpuDevice,
  inputs: QuantisedInputs,
  kernel: DecodeKernel,
  options: DecodeOptions,
): Promise<DecodeJob> {
  checkInputs(inputs);
  if (kernel !== 'tile' && !gpu.info.hasSubgroups) {
    throw new RangeError(`invalid kernel: ${kernel} (expected tile, the adapter has no subgroups)`);
  }
  const { shape, program } = inputs;
  const isInTexels = kernel === 'texels';
  if (isInTexels && !(fitsCodeTexels(inputs.key) && fitsCodeTexels(inputs.value))) {
    throw new RangeError(`invalid keys: ${shape.keys} (expected as many as textures hold)`);
  }
  const key = packTensor('key', inputs.key, isInTexels);
  const value = packTensor('value', inputs.value, isInTexels);
  const plan = quantisedPlan(kernel, inputs, key, value);
  const list = packBlockList(
    { shape, program, query: inputs.query, key: UNREAD, value: UNREAD },
    shape.queries,
    plan.blockKeys,
    shape.kvHeads,
  );
  const tables = new Float32Array(program.tables.flatMap(({ values }) => [...values]));
  const buffers = ownedBuffers(gpu);
  try {
    const { store } = buffers;
    const texels = isInTexels
      ? await codesInTexels(gpu, buffers, inputs.key, inputs.value)
      : undefined;
    const reads = [
      await store('query', { data: inputs.query as Float32Array<ArrayBuffer> }),
      ...(texels === undefined ? [] : [texels.key, texels.value]),
      await store('packed keys', { data: key.words }),
      await store('packed values', { data: value.words }),
      await store('tables', { data: tables }),
      await store('block list rows', { data: list.rows }),
      await store('block list', { data: list.entries }),
    ];
    const packedParams = buffers.uniform(key.params.byteLength + value.params.byteLength);
    gpu.device.queue.writeBuffer(packedParams, 0, key.params);
    gpu.device.queue.writeBuffer(packedParams, key.params.byteLength, value.params);
    return await prepareSplitDecode(gpu, buffers, {
      ...options,
      shape,
      plan,
      slots: variantSlots(program),
      reads,
      uniforms: [
        packedParams,
        ...(texels === undefined ? [] : [texels.scales, gpu.device.createSampler()]),
      ],
      view: attentionParamsView(shape, program, {
        listStride: list.stride,
        listHeadStride: list.headStride,
      }),
      entries: list.blockEntries[0] ?? 0,
      cacheBytes: key.words.byteLength + value.words.byteLength + (texels?.bytes ?? 0),
    });
  } catch (error) {
    buffers.destroy();
    throw error;
  }
}
