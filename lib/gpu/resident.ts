import { checkShapeLimits } from '../attention/checks';
import type { AttentionProgram } from '../attention/program';
import type { AttentionInputs } from '../attention/types';
import type { AttentionShape } from '../spec/kinds/attention';
import { readFloats, storageBuffer } from './buffers';
import type { GpuDevice } from './device';
import { type Storage, storedTensor } from './stored';
import { texelsOf } from './texels';

/** Largest finite value that stands for a masked row's LSE in the kernels. */
const MASKED_BELOW = -1e38;

/** Arrays one after another; a binding must not be empty. */
function joined(arrays: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const length = arrays.reduce((sum, each) => sum + each.length, 0);
  const out = new Float32Array(Math.max(4, length));
  let at = 0;
  for (const each of arrays) {
    out.set(each, at);
    at += each.length;
  }
  return out;
}

/** Keys and values as textures. */
export interface ResidentTexels {
  readonly key: GPUTexture;
  readonly value: GPUTexture;
}

/** The tensors of one attention call on the device. */
export class ResidentAttention {
  readonly shape: AttentionShape;
  readonly query: GPUBuffer;
  readonly key: GPUBuffer;
  readonly value: GPUBuffer;
  readonly output: GPUBuffer;
  readonly lse: GPUBuffer;
  /** Values of the program's tables, one after another. */
  readonly tables: GPUBuffer;
  readonly program: AttentionProgram;
  /** Of keys and values; all else is f32. */
  readonly storage: Storage;
  #texels: Promise<ResidentTexels> | undefined;
  #textures: readonly GPUTexture[] = [];
  readonly #released = new Set<'key' | 'value'>();

  private constructor(
    { shape, program }: AttentionInputs,
    buffers: Record<'query' | 'key' | 'value' | 'output' | 'lse' | 'tables', GPUBuffer>,
    storage: Storage,
  ) {
    this.shape = shape;
    this.program = program;
    this.storage = storage;
    this.query = buffers.query;
    this.key = buffers.key;
    this.value = buffers.value;
    this.output = buffers.output;
    this.lse = buffers.lse;
    this.tables = buffers.tables;
  }

  /**
   * Uploads, keys and values in `storage`; rejects with a sentence per tensor that the adapter
   * cannot hold.
   */
  static async upload(
    gpu: GpuDevice,
    inputs: AttentionInputs,
    storage: Storage = 'f32',
  ): Promise<ResidentAttention> {
    const { shape, program } = inputs;
    const issues = checkShapeLimits(shape, gpu.info.maxBufferBytes);
    if (issues.length > 0) throw new Error(issues.join('; '));
    const tables = joined(program.tables.map(({ values }) => values));
    const made: GPUBuffer[] = [];
    const store = async (...args: Parameters<typeof storageBuffer>) => {
      const buffer = await storageBuffer(...args);
      made.push(buffer);
      return buffer;
    };
    const tensor = (name: string, data: Float32Array, stored: Storage) =>
      store(gpu, name, { data: storedTensor(gpu.info, data, stored) });
    try {
      const rows = shape.batch * shape.queryHeads * shape.queries;
      const buffers = {
        query: await tensor('query', inputs.query, 'f32'),
        key: await tensor('key', inputs.key, storage),
        value: await tensor('value', inputs.value, storage),
        output: await store(gpu, 'output', { bytes: rows * shape.headSize * 4 }),
        lse: await store(gpu, 'lse', { bytes: rows * 4 }),
        tables: await store(gpu, 'tables', { data: tables }),
      };
      return new ResidentAttention(inputs, buffers, storage);
    } catch (error) {
      for (const buffer of made) buffer.destroy();
      throw error;
    }
  }

  /**
   * Keys and values once more as textures, made on the first call. Rejects where the device is out
   * of memory.
   */
  texels(gpu: GpuDevice): Promise<ResidentTexels> {
    this.#texels ??= this.#makeTexels(gpu);
    return this.#texels;
  }

  async #makeTexels(gpu: GpuDevice): Promise<ResidentTexels> {
    const { batch, kvHeads, keys, headSize } = this.shape;
    const make = async (name: string, tensor: GPUBuffer) => {
      const rows = batch * kvHeads * keys;
      const texture = await texelsOf(gpu, name, tensor, rows, headSize, this.storage);
      this.#textures = [...this.#textures, texture];
      return texture;
    };
    return {
      key: await make('keys as texels', this.key),
      value: await make('values as texels', this.value),
    };
  }

  /**
   * Lets go of tensors that nothing will read any more: the buffers that textures were made of, or the
   * textures. Maps read the keys' buffer.
   */
  release(...tensors: readonly ('key' | 'value' | 'texels')[]): void {
    for (const each of tensors) {
      if (each === 'texels') {
        for (const texture of this.#textures) texture.destroy();
        this.#textures = [];
      } else if (!this.#released.has(each)) {
        this[each].destroy();
        this.#released.add(each);
      }
    }
  }

  get bytes(): number {
    const { query, key, value, output, lse, tables } = this;
    const rows = ({ size }: GPUBuffer, name: 'key' | 'value', isTexture: boolean) =>
      // A texture holds what its buffer did, but for the end of its last line.
      (this.#released.has(name) ? 0 : size) + (isTexture ? size : 0);
    const [keys, values] = this.#textures;
    return (
      query.size +
      rows(key, 'key', keys !== undefined) +
      rows(value, 'value', values !== undefined) +
      output.size +
      lse.size +
      tables.size
    );
  }

  /** Output and LSE as f32; a fully masked row has LSE -Infinity. */
  async read(gpu: GpuDevice) {
    const rows = this.shape.batch * this.shape.queryHeads * this.shape.queries;
    const output = await readFloats(gpu, this.output, rows * this.shape.headSize);
    const lse = await readFloats(gpu, this.lse, rows);
    for (let i = 0; i < rows; i++) {
      if (lse[i]! < MASKED_BELOW) lse[i] = Number.NEGATIVE_INFINITY;
    }
    return { output, lse };
  }

  destroy(): void {
    for (const buffer of [this.query, this.key, this.value, this.output, this.lse, this.tables]) {
      buffer.destroy();
    }
    for (const texture of this.#textures) texture.destroy();
  }
}
