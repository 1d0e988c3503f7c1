import type { AttentionShape } from '../spec/kinds/attention';
import { checkIndex, checkShape, checkTensors, type WasmAttentionInputs } from './checks';
import {
  BLOCK_KEYS,
  BLOCK_QUERIES,
  layOut,
  MAX_PAGES,
  type MemoryLayout,
  PAGE_BYTES,
  SCRATCH_BYTES,
} from './layout';
import { instantiateKernel, type ModifyScores, type WriteVisible } from './module';

export type { WasmAttentionInputs } from './checks';
export { BLOCK_KEYS, BLOCK_QUERIES } from './layout';
export type { ModifyScores, WriteVisible } from './module';
export { splitRows } from './split-rows';

/** As compiled into the kernel: no address. */
const NO_MASKS = -1;

export interface WasmAttentionOptions {
  /**
   * The score modifier, over every block: a function over `memory`, or for speed an exported
   * function of another WebAssembly module that imports the same memory. Default: none.
   */
  readonly modify?: ModifyScores;
  /** The mask, over partial blocks; likewise. Default: none. */
  readonly visible?: WriteVisible;
  /** A memory with a maximum; shared where several workers compute one call. Default: a new one. */
  readonly memory?: WebAssembly.Memory;
  /** Bytes at the memory's start that belong to the caller (a modifier's tables). Default 0. */
  readonly reservedBytes?: number;
  /** Instances over one memory, each with its own scratch, and which this is. Default 1 and 0. */
  readonly instances?: number;
  readonly instance?: number;
}

export interface WasmAttention {
  readonly memory: WebAssembly.Memory;
  /**
   * Copies Q, K and V into the memory, which it grows, and for more than 4 queries transposes the
   * keys. Views taken from `output` and `lse` before are void. Throws a sentence where the shape is
   * invalid or the memory cannot grow.
   */
  load(inputs: WasmAttentionInputs): void;
  /** Instead of `load`, where another instance over the same memory has loaded this shape. */
  attach(shape: AttentionShape): void;
  /**
   * One query block of one head over its key blocks, full ones first, as a row of a `BlockList` of
   * blocks BLOCK_QUERIES x BLOCK_KEYS. A partial block counts as full where there is no `visible`;
   * keys past the end of the last block are never seen.
   *
   * @param masks byte offset of what `visible` says of the partial blocks, u32 [blocks.length -
   *   fullCount][BLOCK_QUERIES]; undefined asks it
   */
  runBlock(
    batch: number,
    head: number,
    queryBlock: number,
    blocks: Uint32Array,
    fullCount: number,
    masks?: number,
  ): void;
  /**
   * `runBlock` of a list that lies in the memory: `count` u32 from byte `list` on. Nothing is checked
   * or copied, for a short list is over as soon as that would be.
   */
  runListed(
    batch: number,
    head: number,
    queryBlock: number,
    list: number,
    count: number,
    fullCount: number,
    masks?: number,
  ): void;
  /** View [batch, queryHeads, queries, headSize]; 0 in fully masked rows. */
  readonly output: Float32Array;
  /** View [batch, queryHeads, queries]: row log-sum-exp, natural; -Infinity in fully masked rows. */
  readonly lse: Float32Array;
}

/**
 * Softmax attention in WebAssembly SIMD, f32, one query block at a time: the path for machines
 * without a GPU. Scores are q . k / sqrt(headSize); query head h reads KV head
 * floor(h / (queryHeads / kvHeads)).
 */
export function createWasmAttention(options: WasmAttentionOptions = {}): WasmAttention {
  const { instance = 0, instances = 1, reservedBytes = 0 } = options;
  checkIndex('instance', instance, instances);
  checkIndex('reservedBytes', reservedBytes, MAX_PAGES * PAGE_BYTES);
  const memory = options.memory ?? new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES });
  const kernel = instantiateKernel(memory, options.modify, options.visible);
  let call: { readonly shape: AttentionShape; readonly layout: MemoryLayout } | undefined;

  function loaded() {
    if (call === undefined) throw new Error('no inputs: call load first');
    return call;
  }

  function attach(given: AttentionShape): MemoryLayout {
    checkShape(given);
    const { batch, queryHeads, kvHeads, queries, keys, headSize } = given;
    // A copy of the sizes alone: `load` passes its inputs, whose tensors must not be kept alive.
    const shape = { batch, queryHeads, kvHeads, queries, keys, headSize };
    const layout = layOut(shape, reservedBytes, instances);
    growTo(memory, layout.end);
    call = { shape, layout };
    return layout;
  }

  function attendListed(
    batch: number,
    head: number,
    queryBlock: number,
    list: number,
    count: number,
    fullCount: number,
    masks: number,
  ): void {
    const { shape, layout } = loaded();
    const { queryHeads, kvHeads, queries, keys, headSize } = shape;
    const firstRow = queryBlock * BLOCK_QUERIES;
    const queryHead = batch * queryHeads + head;
    const row = queryHead * queries + firstRow;
    const kvHead = batch * kvHeads + Math.floor(head / (queryHeads / kvHeads));
    kernel.attendBlock(
      layout.scratch + instance * SCRATCH_BYTES,
      layout.query + queryHead * layout.queryStride + 4 * firstRow * headSize,
      layout.key + kvHead * layout.keyStride,
      layout.value + kvHead * layout.valueStride,
      layout.output + 4 * row * headSize,
      layout.lse + 4 * row,
      list,
      count,
      options.visible === undefined ? count : fullCount,
      Math.min(BLOCK_QUERIES, queries - firstRow),
      keys,
      headSize,
      1 / Math.sqrt(headSize),
      batch,
      head,
      firstRow,
      layout.isRowWise ? 1 : 0,
      options.modify === undefined ? 0 : 1,
      masks,
      // Several threads take rows in turn.
      instances === 1 ? 1 : 0,
    );
  }

  return {
    memory,
    attach,
    load(inputs) {
      checkShape(inputs);
      checkTensors(inputs);
      const layout = attach(inputs);
      const { batch, queryHeads, kvHeads, queries, keys, headSize } = inputs;
      if (layout.isRowWise) {
        new Float32Array(memory.buffer, layout.query, inputs.query.length).set(inputs.query);
      } else {
        const length = queries * headSize;
        const rows = new Float32Array(memory.buffer, layout.staging, length);
        for (let head = 0; head < batch * queryHeads; head++) {
          rows.set(inputs.query.subarray(head * length, (head + 1) * length));
          const to = layout.query + head * layout.queryStride;
          kernel.packQueries(layout.staging, to, queries, headSize);
        }
      }
      const headLength = keys * headSize;
      for (let head = 0; head < batch * kvHeads; head++) {
        const key = inputs.key.subarray(head * headLength, (head + 1) * headLength);
        const keyStart = layout.key + head * layout.keyStride;
        const rows = layout.isRowWise ? keyStart : layout.staging;
        const target = new Float32Array(memory.buffer, rows, layout.keyStride / 4);
        target.set(key);
        target.fill(0, headLength);
        if (!layout.isRowWise) {
          kernel.packKeys(rows, keyStart, layout.keyBlocks * BLOCK_KEYS, headSize);
        }
        const value = inputs.value.subarray(head * headLength, (head + 1) * headLength);
        copyRows(
          value,
          headSize,
          new Float32Array(
            memory.buffer,
            layout.value + head * layout.valueStride,
            layout.valueStride / 4,
          ),
          layout.paddedHeadSize,
        );
      }
    },
    runBlock(batch, head, queryBlock, blocks, fullCount, masks = NO_MASKS) {
      const { shape, layout } = loaded();
      const { queryHeads } = shape;
      checkIndex('batch', batch, shape.batch);
      checkIndex('head', head, queryHeads);
      checkIndex('queryBlock', queryBlock, layout.queryBlocks);
      checkIndex('fullCount', fullCount, blocks.length + 1);
      if (blocks.length > layout.keyBlocks) {
        throw new Error(
          `invalid blocks: ${blocks.length} key blocks (expected at most ${layout.keyBlocks})`,
        );
      }
      for (const block of blocks) checkIndex('key block', block, layout.keyBlocks);
      const list = layout.blocks + instance * layout.blocksStride;
      new Uint32Array(memory.buffer, list, blocks.length).set(blocks);

      attendListed(batch, head, queryBlock, list, blocks.length, fullCount, masks);
    },
    runListed(batch, head, queryBlock, list, count, fullCount, masks = NO_MASKS) {
      attendListed(batch, head, queryBlock, list, count, fullCount, masks);
    },
    get output() {
      const { shape, layout } = loaded();
      const rows = shape.batch * shape.queryHeads * shape.queries;
      return new Float32Array(memory.buffer, layout.output, rows * shape.headSize);
    },
    get lse() {
      const { shape, layout } = loaded();
      const rows = shape.batch * shape.queryHeads * shape.queries;
      return new Float32Array(memory.buffer, layout.lse, rows);
    },
  };
}

/** Rows of `length` values into rows of `paddedLength`; the rest of `to` becomes 0. */
function copyRows(
  from: Float32Array,
  length: number,
  to: Float32Array,
  paddedLength: number,
): void {
  if (length === paddedLength) {
    to.set(from);
    to.fill(0, from.length);
    return;
  }
  to.fill(0);
  for (let row = 0; row * length < from.length; row++) {
    to.set(from.subarray(row * length, (row + 1) * length), row * paddedLength);
  }
}

const MIB = 2 ** 20;

function growTo(memory: WebAssembly.Memory, bytes: number): void {
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / PAGE_BYTES);
  if (missing <= 0) return;
  try {
    memory.grow(missing);
  } catch (cause) {
    const size = (bytes / MIB).toFixed(0);
    throw new Error(`attention needs ${size} MiB of memory, more than WebAssembly could get here`, {
      cause,
    });
  }
}
