import type { GpuDevice } from './device';

const UNITS = ['B', 'KiB', 'MiB', 'GiB'] as const;

/** `1.2 GiB`, with at most one decimal. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toFixed(1))} ${UNITS[unit]}`;
}

/**
 * A storage buffer that can be copied from; filled with `data` where given. Rejects with a
 * sentence when the device is out of memory, which happens below its own limits too.
 */
export async function storageBuffer(
  gpu: GpuDevice,
  name: string,
  content: { readonly bytes: number } | { readonly data: ArrayBufferView<ArrayBuffer> },
): Promise<GPUBuffer> {
  const { device } = gpu;
  const bytes = 'data' in content ? content.data.byteLength : content.bytes;
  device.pushErrorScope('out-of-memory');
  const buffer = device.createBuffer({
    label: name,
    // Vectors of 16 bytes: an empty list still needs one element to bind.
    size: Math.max(16, Math.ceil(bytes / 16) * 16),
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
  });
  if ((await gpu.settle(device.popErrorScope())) !== null) {
    buffer.destroy();
    throw new Error(`out of GPU memory: ${name} needs ${formatBytes(bytes)}`);
  }
  if ('data' in content) {
    device.queue.writeBuffer(
      buffer,
      0,
      content.data.buffer,
      content.data.byteOffset,
      content.data.byteLength,
    );
  }
  return buffer;
}

export function uniformBuffer(gpu: GpuDevice, bytes: number): GPUBuffer {
  return gpu.device.createBuffer({
    size: bytes,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
}

/** Copies the first `count` floats of a buffer back. */
export async function readFloats(
  gpu: GpuDevice,
  source: GPUBuffer,
  count: number,
): Promise<Float32Array<ArrayBuffer>> {
  const { device } = gpu;
  device.pushErrorScope('out-of-memory');
  const staging = device.createBuffer({
    size: count * 4,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  try {
    if ((await gpu.settle(device.popErrorScope())) !== null) {
      throw new Error(`out of GPU memory: reading back needs ${formatBytes(count * 4)}`);
    }
    const encoder = gpu.device.createCommandEncoder();
    encoder.copyBufferToBuffer(source, 0, staging, 0, count * 4);
    gpu.device.queue.submit([encoder.finish()]);
    await gpu.settle(staging.mapAsync(GPUMapMode.READ));
    return new Float32Array(staging.getMappedRange().slice(0));
  } finally {
    staging.destroy();
  }
}
