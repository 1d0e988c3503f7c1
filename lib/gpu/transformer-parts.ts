import { makeRotate, ropeOf } from '../transformer/rope';
import type {
  AttentionCache,
  AttentionPart,
  ProjectedRows,
  TransformerConfig,
} from '../transformer/types';
import { storageBuffer } from './buffers';
import type { GpuDevice } from './device';
import { type LayerSteps, PART_ROWS } from './transformer-steps';

/** A finite stand-in for minus infinity, which WGSL may not be given. */
export const LOWEST = -3e38;

/** Past which slot no row of a block sees one, [1 + blocks] after the head's first slot. */
export function limitsOf(
  part: Pick<AttentionPart, 'count' | 'positions'>,
  positions: Int32Array,
  firstSlot: number,
): number[] {
  const blocks = Math.ceil(positions.length / PART_ROWS);
  const limits = [firstSlot];
  for (let block = 0; block < blocks; block++) {
    const rows = positions.subarray(block * PART_ROWS, (block + 1) * PART_ROWS);
    const highest = rows.reduce((most, position) => Math.max(most, position), -Infinity);
    let limit = part.count;
    while (limit > 0 && part.positions[limit - 1]! > highest) limit--;
    limits.push(limit);
  }
  return limits;
}

/** Rows of `size` values padded to `padded`. */
export function paddedRows(values: Float32Array, rows: number, size: number, padded: number) {
  if (size === padded && values.buffer instanceof ArrayBuffer) {
    return values.subarray(0, rows * size) as Float32Array<ArrayBuffer>;
  }
  const out = new Float32Array(rows * padded);
  for (let row = 0; row < rows; row++) {
    out.set(values.subarray(row * size, (row + 1) * size), row * padded);
  }
  return out;
}

/** Attention of a layer's rows over dense caches, on the device. */
export interface PartAttention {
  /** Adds the step; `output` is [rows, heads, headSize]. */
  attend(
    steps: LayerSteps,
    layer: number,
    projected: ProjectedRows,
    cache: AttentionCache,
    parts: readonly AttentionPart[],
    output: GPUBuffer,
  ): Promise<void>;
  destroy(): void;
}

export function createPartAttention(gpu: GpuDevice, config: TransformerConfig): PartAttention {
  const { heads, kvHeads, headSize } = config;
  const group = heads / kvHeads;
  const padded = 4 * Math.ceil(headSize / 4);
  const rotate = makeRotate(ropeOf(config));
  const held = new Map<string, GPUBuffer>();

  /** A buffer of at least so many bytes, kept from call to call. */
  async function reserve(name: string, bytes: number): Promise<GPUBuffer> {
    const known = held.get(name);
    if (known && known.size >= bytes) return known;
    known?.destroy();
    held.delete(name);
    const made = await storageBuffer(gpu, name, { bytes: Math.ceil(bytes * 1.25) });
    held.set(name, made);
    return made;
  }

  function rotatedQueries(layer: number, projected: ProjectedRows, cache: AttentionCache) {
    const { rows, queries, positions } = projected;
    const out = new Float32Array(heads * rows * padded);
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      for (let row = 0; row < rows; row++) {
        const index = cache.queryIndex(layer, kvHead, positions[row]!);
        for (let head = kvHead * group; head < (kvHead + 1) * group; head++) {
          const from = (row * heads + head) * headSize;
          rotate(queries, from, index, out, (head * rows + row) * padded);
        }
      }
    }
    return out;
  }

  return {
    async attend(steps, layer, projected, cache, parts, output) {
      const { rows, positions } = projected;
      const rotated = rotatedQueries(layer, projected, cache);
      const total = parts.reduce((sum, { count }) => sum + count, 0);
      const slots = new Int32Array(2 * total);
      const added = new Float32Array(slots.buffer);
      const limits: number[] = [];
      let first = 0;
      for (const part of parts) {
        limits.push(...limitsOf(part, positions, first));
        for (let slot = 0; slot < part.count; slot++) {
          const at = 2 * (first + slot);
          slots[at] = part.positions[slot]!;
          added[at + 1] = Math.max(LOWEST, part.logMultiplicity?.[slot] ?? 0);
        }
        first += part.count;
      }
      const rowPositions = new Int32Array(rows + kvHeads);
      rowPositions.set(positions);
      new Float32Array(rowPositions.buffer).set(
        parts.map(({ temperature = 1 }) => temperature),
        rows,
      );
      const keyBytes = 4 * total * padded;
      const buffers = {
        queries: await reserve('queries', rotated.byteLength),
        keys: await reserve('keys', keyBytes),
        values: await reserve('values', keyBytes),
        slots: await reserve('slots', slots.byteLength),
        limits: await reserve('limits', 4 * limits.length),
        rowPositions: await reserve('row positions', rowPositions.byteLength),
      };
      const { queue } = gpu.device;
      queue.writeBuffer(buffers.queries, 0, rotated);
      queue.writeBuffer(buffers.slots, 0, slots);
      queue.writeBuffer(buffers.limits, 0, Uint32Array.from(limits));
      queue.writeBuffer(buffers.rowPositions, 0, rowPositions);
      let at = 0;
      for (const { count, keys, values } of parts) {
        if (count === 0) continue;
        queue.writeBuffer(buffers.keys, at, paddedRows(keys, count, headSize, padded));
        queue.writeBuffer(buffers.values, at, paddedRows(values, count, headSize, padded));
        at += 4 * count * padded;
      }
      const { queries, keys, values, slots: about, limits: list, rowPositions: rowed } = buffers;
      steps.part(
        [queries, keys, values, about, list, rowed, output],
        {
          rows,
          heads,
          group,
          blocks: Math.ceil(rows / PART_ROWS),
          headSize,
          scale: 1 / Math.sqrt(headSize),
          limitsAt: 0,
        },
        Math.ceil(total / kvHeads),
      );
    },
    destroy() {
      for (const buffer of held.values()) buffer.destroy();
    },
  };
}
