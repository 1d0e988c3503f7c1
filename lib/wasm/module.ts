import { ATTENTION_WASM_BASE64 } from './attention-binary';
import { ATTENTION_RELAXED_WASM_BASE64 } from './attention-relaxed-binary';
import { hasRelaxedSimd } from './relaxed-simd';

/**
 * Called in the kernel before the softmax of a tile, to rewrite its scores in place. In partial
 * blocks masked columns hold anything, before and after.
 *
 * @param scoresPointer byte offset of the tile in the memory: f32 [BLOCK_QUERIES][BLOCK_KEYS],
 *   row-major, holding scaled scores q . k / sqrt(headSize)
 * @param firstRow query index of the tile's first row; rows at or past `queries` are ignored
 * @param firstKey key position of the tile's first column; columns at or past `keys` are ignored
 */
export type ModifyScores = (
  scoresPointer: number,
  batch: number,
  head: number,
  firstRow: number,
  firstKey: number,
) => void;

/**
 * Called in the kernel before the scores of a partial tile: says which of its keys are seen. Words
 * past `rows` are to be left as they are, bits past the last key are ignored.
 *
 * @param pointer byte offset of u32 [rows], one word per row; bit j stands for key firstKey + j
 */
export type WriteVisible = (
  pointer: number,
  batch: number,
  head: number,
  firstRow: number,
  firstKey: number,
  rows: number,
) => void;

/** What the binary exports; parameters as `kernels/attention.ts` documents them. */
export interface KernelExports {
  attendBlock(
    scratch: number,
    query: number,
    keys: number,
    values: number,
    output: number,
    lse: number,
    blocks: number,
    blockCount: number,
    fullCount: number,
    rows: number,
    keyCount: number,
    headSize: number,
    scale: number,
    batch: number,
    head: number,
    firstRow: number,
    isRowWise: number,
    modifies: number,
    masks: number,
    isInOrder: number,
  ): void;
  packKeys(from: number, to: number, paddedKeys: number, headSize: number): void;
  packQueries(from: number, to: number, rows: number, headSize: number): void;
  exponentials(pointer: number, count: number): void;
  logarithms(pointer: number, count: number): void;
  scorePanel(query: number, keys: number, scores: number, headSize: number, scale: number): void;
  /** Parameters as `kernels/recurrent.ts` documents them. */
  walkFours(
    scratch: number,
    query: number,
    key: number,
    value: number,
    decay: number,
    tokenStride: number,
    channelStride: number,
    writeStrength: number,
    state: number,
    normaliser: number,
    output: number,
    fours: number,
    keySize: number,
    valuePanels: number,
  ): void;
  readonly RECURRENT_SCRATCH_BYTES: WebAssembly.Global;
  readonly BLOCK_QUERIES: WebAssembly.Global;
  readonly BLOCK_KEYS: WebAssembly.Global;
  readonly MAX_HEAD_SIZE: WebAssembly.Global;
  readonly SCRATCH_BYTES: WebAssembly.Global;
}

/** The import of `env.memory` up to its kind; the flags of its limits follow. */
const MEMORY_IMPORT = [3, ...ascii('env'), 6, ...ascii('memory'), 2];
const HAS_MAXIMUM = 1;
const IS_SHARED = 3;

/**
 * The kernel's binary. Whether an imported memory is shared is one bit of its type and part of the
 * module, so the same code serves both with that bit set.
 *
 * @param isRelaxed with fused multiply-adds, which the engine must know
 */
export function kernelBinary(
  isShared: boolean,
  isRelaxed = hasRelaxedSimd(),
): Uint8Array<ArrayBuffer> {
  const base64 = isRelaxed ? ATTENTION_RELAXED_WASM_BASE64 : ATTENTION_WASM_BASE64;
  const bytes = Uint8Array.from(ascii(atob(base64)));
  if (!isShared) return bytes;
  const start = bytes.findIndex((_, at) =>
    MEMORY_IMPORT.every((byte, i) => bytes[at + i] === byte),
  );
  const flags = start + MEMORY_IMPORT.length;
  if (start < 0 || bytes[flags] !== HAS_MAXIMUM) {
    throw new Error('invalid attention binary: no import of env.memory with a maximum');
  }
  bytes[flags] = IS_SHARED;
  return bytes;
}

function ascii(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

/** Compiles and binds the kernel to a memory (which needs a maximum) and to what scores go through. */
export function instantiateKernel(
  memory: WebAssembly.Memory,
  modify: ModifyScores = () => {},
  visible: WriteVisible = () => {},
): KernelExports {
  const isShared = !(memory.buffer instanceof ArrayBuffer);
  const module = new WebAssembly.Module(kernelBinary(isShared));
  const imports = { env: { memory, modify, visible } };
  return new WebAssembly.Instance(module, imports).exports as unknown as KernelExports;
}
