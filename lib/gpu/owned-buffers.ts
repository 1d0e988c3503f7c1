import { formatBytes, storageBuffer, uniformBuffer } from './buffers';
import type { GpuDevice } from './device';

/** Buffers that live and die with one job. */
export interface OwnedBuffers {
  /** @throws Error with a sentence above the adapter's largest buffer, or out of memory */
  store(name: string, content: Parameters<typeof storageBuffer>[2]): Promise<GPUBuffer>;
  uniform(bytes: number): GPUBuffer;
  /** A texture, to be destroyed with the buffers. */
  own(texture: GPUTexture): GPUTexture;
  destroy(): void;
}

export function ownedBuffers(gpu: GpuDevice): OwnedBuffers {
  const owned: (GPUBuffer | GPUTexture)[] = [];
  const own = <T extends GPUBuffer | GPUTexture>(made: T): T => {
    owned.push(made);
    return made;
  };
  return {
    store: async (name, content) => {
      const bytes = 'data' in content ? content.data.byteLength : content.bytes;
      if (bytes > gpu.info.maxBufferBytes) {
        throw new Error(
          `${name} needs ${formatBytes(bytes)}, above the limit of ${formatBytes(gpu.info.maxBufferBytes)} per buffer`,
        );
      }
      return own(await storageBuffer(gpu, name, content));
    },
    own,
    uniform: (bytes) => own(uniformBuffer(gpu, bytes)),
    destroy: () => {
      for (const each of owned) each.destroy();
    },
  };
}
