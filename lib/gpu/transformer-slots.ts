import type { AttentionCache, TransformerConfig } from '../transformer/types';
import { storageBuffer } from './buffers';
import type { GpuDevice } from './device';
import { LOWEST, paddedRows } from './transformer-parts';

/** Least room of a head, in slots. */
const MIN_ROOM = 64;
/** How much more room a head gets than it needs. */
const ROOM_FACTOR = 1.5;

/** Slots of one layer on the device: heads one after another, each with room of its own. */
export interface LayerSlots {
  /** Rotated, [slots][padded head size]. */
  readonly keys: GPUBuffer;
  readonly values: GPUBuffer;
  /** [slots]: the text position, and the bits of what is added to the score. */
  readonly about: GPUBuffer;
  /** First slot of each KV head. */
  readonly first: readonly number[];
}

interface HeldLayer extends LayerSlots {
  /** Slots that each head has room for. */
  readonly room: readonly number[];
  /** When each head was last as the cache's, see `CopiedSlots`; 0 where it never was. */
  readonly marks: number[];
}

/** A copy of one cache's slots; another cache takes its place. */
export interface SlotCopy {
  /**
   * Brings a layer's copy up to the cache's slots, with room for `rows` more. Keys before RoPE are
   * rotated once: what the cache moves since is taken over anew.
   */
  sync(cache: AttentionCache, layer: number, rows: number): Promise<LayerSlots>;
  /** Says that the cache holds the rows that were placed. @throws Error where it does not */
  placed(cache: AttentionCache, layer: number, counts: readonly number[]): void;
  /** What is held stands for nothing any more. */
  forget(): void;
  destroy(): void;
}

export function createSlotCopy(
  gpu: GpuDevice,
  { layers, kvHeads, headSize }: TransformerConfig,
): SlotCopy {
  const padded = 4 * Math.ceil(headSize / 4);
  const rowBytes = 4 * padded;
  const held: (HeldLayer | undefined)[] = Array.from({ length: layers });
  let owner: AttentionCache | undefined;

  function letGo({ keys, values, about }: HeldLayer): void {
    for (const buffer of [keys, values, about]) buffer.destroy();
  }

  async function withRoom(layer: number, slots: readonly number[]): Promise<HeldLayer> {
    const before = held[layer];
    if (before && slots.every((count, kvHead) => count <= before.room[kvHead]!)) return before;
    const room = slots.map((count) => Math.max(MIN_ROOM, Math.ceil(count * ROOM_FACTOR)));
    const first: number[] = [];
    let total = 0;
    for (const own of room) {
      first.push(total);
      total += own;
    }
    if (total * rowBytes > gpu.info.maxBufferBytes) {
      throw new RangeError(
        `invalid cache: ${total} slots in layer ${layer} (expected at most ${Math.floor(gpu.info.maxBufferBytes / rowBytes)} on this adapter)`,
      );
    }
    const keys = await storageBuffer(gpu, `keys of layer ${layer}`, { bytes: total * rowBytes });
    const values = await storageBuffer(gpu, `values of layer ${layer}`, {
      bytes: total * rowBytes,
    });
    const about = await storageBuffer(gpu, `slots of layer ${layer}`, { bytes: 8 * total });
    const made: HeldLayer = {
      keys,
      values,
      about,
      first,
      room,
      marks: before?.marks ?? Array.from({ length: kvHeads }, () => 0),
    };
    if (before) {
      const encoder = gpu.device.createCommandEncoder();
      for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
        const slotsBefore = before.room[kvHead]!;
        const from = before.first[kvHead]!;
        const to = first[kvHead]!;
        for (const [old, now, bytes] of [
          [before.keys, keys, rowBytes],
          [before.values, values, rowBytes],
          [before.about, about, 8],
        ] as const) {
          const moved = Math.min(slotsBefore, room[kvHead]!) * bytes;
          encoder.copyBufferToBuffer(old, from * bytes, now, to * bytes, moved);
        }
      }
      gpu.device.queue.submit([encoder.finish()]);
      letGo(before);
    }
    held[layer] = made;
    return made;
  }

  function upload(
    cache: AttentionCache,
    layer: number,
    kvHead: number,
    at: HeldLayer,
    same: number,
  ): void {
    const [part, ...others] = cache.parts(layer, kvHead);
    if (part === undefined || others.length > 0 || (part.temperature ?? 1) !== 1) {
      throw new Error('a cache with copied slots has one part, without temperature');
    }
    const count = part.count - same;
    if (count <= 0) return;
    const { queue } = gpu.device;
    const slot = at.first[kvHead]! + same;
    const rowsFrom = (values: Float32Array) =>
      paddedRows(values.subarray(same * headSize), count, headSize, padded);
    queue.writeBuffer(at.keys, slot * rowBytes, rowsFrom(part.keys));
    queue.writeBuffer(at.values, slot * rowBytes, rowsFrom(part.values));
    const about = new Int32Array(2 * count);
    const added = new Float32Array(about.buffer);
    for (let i = 0; i < count; i++) {
      about[2 * i] = part.positions[same + i]!;
      added[2 * i + 1] = Math.max(LOWEST, part.logMultiplicity?.[same + i] ?? 0);
    }
    queue.writeBuffer(at.about, 8 * slot, about);
  }

  function forget(): void {
    owner = undefined;
    for (const layer of held) layer?.marks.fill(0);
  }

  function copiedOf(cache: AttentionCache) {
    if (cache.copied === undefined) throw new Error('the cache gives no copied slots');
    return cache.copied;
  }

  return {
    async sync(cache, layer, rows) {
      const copied = copiedOf(cache);
      if (owner !== cache) forget();
      owner = cache;
      const counts = Array.from(
        { length: kvHeads },
        (_, kvHead) => copied.positions(layer, kvHead).length,
      );
      const at = await withRoom(
        layer,
        counts.map((count) => count + rows),
      );
      counts.forEach((count, kvHead) => {
        const same = copied.same(layer, kvHead, at.marks[kvHead]!);
        if (same < count) upload(cache, layer, kvHead, at, same);
        at.marks[kvHead] = copied.mark(layer, kvHead);
      });
      return at;
    },
    placed(cache, layer, counts) {
      const copied = copiedOf(cache);
      const at = held[layer];
      if (at === undefined || owner !== cache) return;
      counts.forEach((count, kvHead) => {
        const found = copied.positions(layer, kvHead).length;
        if (found !== count) {
          throw new Error(
            `the cache holds ${found} slots of layer ${layer}, KV head ${kvHead} (expected ${count})`,
          );
        }
        at.marks[kvHead] = copied.mark(layer, kvHead);
      });
    },
    forget,
    destroy() {
      for (const layer of held) if (layer) letGo(layer);
    },
  };
}
