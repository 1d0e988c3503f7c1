import { assembleProgram } from '../attention/program';
import type { AttentionShape } from '../spec/kinds/attention';
import { storageBuffer } from './buffers';
import type { GpuDevice } from './device';
import { ownedBuffers } from './owned-buffers';
import { attentionParamsView } from './params';
import { DECODE_QUERIES, type DecodePlan, rowsPerKvHead } from './plans';
import type { DecodeKernel } from './quantised-job';
import { type DecodeJob, type DecodeOptions, prepareSplitDecode } from './split-decode';
import { STORED_FILES, type Storage, storedTensor } from './stored';
import { texelConstants, texelsOf } from './texels';

/** Keys and values in pages of a pool that all sequences share. */
export interface PagedInputs {
  /** `keys` is the longest length. */
  readonly shape: AttentionShape;
  /** [batch, queryHeads, queries, headSize]; queries are the last of each sequence's own length. */
  readonly query: Float32Array;
  /** [pages, kvHeads, pageTokens, headSize]. */
  readonly keyPool: Float32Array;
  readonly valuePool: Float32Array;
  /** How the pools lie on the device; default f32. */
  readonly storage?: Storage;
  readonly pageTokens: 16 | 32;
  /** Page of every pageTokens tokens, [batch, pagesPerSequence]; entries past a length are not read. */
  readonly blockTable: Uint32Array;
  /** Tokens of every sequence, [batch]. */
  readonly lengths: Uint32Array;
  /** A query sees the keys up to its own position; else all of its sequence. */
  readonly isCausal: boolean;
}

const QUAD_WORKGROUP = 16;
const TILE_KEYS = 64;
/** Most vec4 of an output row that a lane of a quad holds. */
const MAX_SLICES = 8;

function pagedPlan(kernel: DecodeKernel, inputs: PagedInputs): DecodePlan {
  const { shape, pageTokens } = inputs;
  const replaced = STORED_FILES[inputs.storage ?? 'f32'];
  const constants = { PAGE_TOKENS: pageTokens, CAUSAL: Number(inputs.isCausal) };
  if (kernel === 'tile') {
    return {
      id: `paged-tile-${pageTokens}`,
      label: `split-KV over pages of ${pageTokens} through shared memory`,
      family: 'decode',
      needsSubgroups: false,
      blockKeys: TILE_KEYS,
      rowsPerGroup: 1,
      splitsPerWorkgroup: 1,
      kernel: () => ({ file: 'decode-paged.wgsl', constants, replaced }),
      chunks: () => 1,
    };
  }
  const rows = Math.min(4, rowsPerKvHead(shape));
  if (kernel === 'texels') {
    return {
      id: `paged-texels-${pageTokens}`,
      label: `split-KV over pages of ${pageTokens} in textures, ${rows} rows per quad`,
      family: 'decode',
      needsSubgroups: true,
      readsTexels: true,
      blockKeys: pageTokens,
      rowsPerGroup: rows,
      splitsPerWorkgroup: QUAD_WORKGROUP / 4,
      kernel: () => ({
        file: 'decode-paged-texels.wgsl',
        constants: { ...constants, ...texelConstants(shape.headSize), ROWS: rows },
        overrides: { WORKGROUP: QUAD_WORKGROUP },
      }),
      chunks: () => 1,
    };
  }
  const slices = Math.min(MAX_SLICES, Math.ceil(shape.headSize / 16));
  return {
    id: `paged-quad-${pageTokens}`,
    label: `split-KV over pages of ${pageTokens} in registers, ${rows} rows per quad`,
    family: 'decode',
    needsSubgroups: true,
    blockKeys: pageTokens,
    rowsPerGroup: rows,
    splitsPerWorkgroup: QUAD_WORKGROUP / 4,
    kernel: () => ({
      file: 'decode-paged-quad.wgsl',
      constants: { ...constants, ROWS: rows, KEY_STEPS: pageTokens / 4, SLICES: slices },
      overrides: { WORKGROUP: QUAD_WORKGROUP },
      replaced,
    }),
    chunks: () => Math.ceil(shape.headSize / (16 * slices)),
  };
}

/** @returns pages per sequence in the block table */
function checkInputs(inputs: PagedInputs): number {
  const { shape, pageTokens, lengths, blockTable } = inputs;
  const { batch, queryHeads, kvHeads, queries, headSize } = shape;
  const check = (name: string, value: number, isValid: boolean, expected: string) => {
    if (!isValid) throw new RangeError(`invalid ${name}: ${value} (expected ${expected})`);
  };
  check('queries', queries, queries <= DECODE_QUERIES, `1..${DECODE_QUERIES}`);
  check('headSize', headSize, headSize % 4 === 0 && headSize <= 256, 'a multiple of 4 up to 256');
  check('pageTokens', pageTokens, pageTokens === 16 || pageTokens === 32, '16 or 32');
  const elements = batch * queryHeads * queries * headSize;
  check('query length', inputs.query.length, inputs.query.length === elements, `${elements}`);
  check('lengths length', lengths.length, lengths.length === batch, `${batch}`);
  const pageElements = kvHeads * pageTokens * headSize;
  const pages = inputs.keyPool.length / pageElements;
  const isWhole = Number.isInteger(pages) && pages > 0;
  check('keyPool length', inputs.keyPool.length, isWhole, `pages of ${pageElements}`);
  const { length } = inputs.valuePool;
  check('valuePool length', length, length === inputs.keyPool.length, `${inputs.keyPool.length}`);
  const tablePages = blockTable.length / batch;
  const isTable = Number.isInteger(tablePages) && tablePages > 0;
  check('blockTable length', blockTable.length, isTable, `a multiple of batch ${batch}`);
  const longest = Math.min(shape.keys, tablePages * pageTokens);
  lengths.forEach((tokens, b) => {
    check(`lengths[${b}]`, tokens, tokens >= 1 && tokens <= longest, `1..${longest}`);
    for (let i = 0; i * pageTokens < tokens; i++) {
      const page = blockTable[b * tablePages + i]!;
      check(`blockTable[${b}, ${i}]`, page, page < pages, `0..${pages - 1}`);
    }
  });
  return tablePages;
}

/**
 * Uploads the pools and binds the paged split-KV kernel (Kwon et al. 2023, PagedAttention).
 *
 * @throws RangeError above 8 queries, for tensors, lengths or a block table that do not fit each
 * other, the quad or texels kernel without subgroups, or pools that no texture holds
 */
export async function preparePaged(
  gpu: GpuDevice,
  inputs: PagedInputs,
  kernel: DecodeKernel,
  options: DecodeOptions,
): Promise<DecodeJob> {
  const tablePages = checkInputs(inputs);
  if (kernel !== 'tile' && !gpu.info.hasSubgroups) {
    throw new RangeError(`invalid kernel: ${kernel} (expected tile, the adapter has no subgroups)`);
  }
  const plan = pagedPlan(kernel, inputs);
  const shape = { ...inputs.shape, keys: tablePages * inputs.pageTokens };
  const program = assembleProgram(shape, {
    mask: undefined,
    score: undefined,
    numbers: [],
    tables: [],
  });
  const storage = inputs.storage ?? 'f32';
  const keyPool = storedTensor(gpu.info, inputs.keyPool, storage);
  const valuePool = storedTensor(gpu.info, inputs.valuePool, storage);
  const buffers = ownedBuffers(gpu);
  const tensor = (name: string, data: Float32Array | Uint32Array | Uint16Array) =>
    buffers.store(name, { data: data as Float32Array<ArrayBuffer> });
  try {
    const pool = async (name: string, data: Float32Array | Uint16Array) => {
      if (kernel !== 'texels') return tensor(name, data);
      const buffer = await storageBuffer(gpu, name, { data: data as Float32Array<ArrayBuffer> });
      try {
        const rows = data.length / shape.headSize;
        return buffers
          .own(await texelsOf(gpu, name, buffer, rows, shape.headSize, storage))
          .createView();
      } finally {
        buffer.destroy();
      }
    };
    const reads = [
      await tensor('query', inputs.query),
      await pool('key pool', keyPool),
      await pool('value pool', valuePool),
      await tensor('block table', inputs.blockTable),
      await tensor('lengths', inputs.lengths),
    ];
    const { blockTable, lengths } = inputs;
    return await prepareSplitDecode(gpu, buffers, {
      ...options,
      shape,
      plan,
      slots: {},
      reads,
      uniforms: kernel === 'texels' ? [gpu.device.createSampler()] : [],
      view: attentionParamsView(shape, program, { listStride: 0, listHeadStride: 0 }),
      entries: Math.ceil(lengths.reduce((a, b) => Math.max(a, b)) / plan.blockKeys),
      cacheBytes:
        keyPool.byteLength + valuePool.byteLength + blockTable.byteLength + lengths.byteLength,
    });
  } catch (error) {
    buffers.destroy();
    throw error;
  }
}
