import type { GpuDevice } from './device';

/** A kernel's bindings in order, buffers whole. */
export function bind(
  gpu: GpuDevice,
  pipeline: GPUComputePipeline,
  bound: readonly (GPUBuffer | GPUTextureView | GPUSampler)[],
) {
  return gpu.device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: bound.map((each, binding) => ({
      binding,
      resource: 'mapState' in each ? { buffer: each } : each,
    })),
  });
}
