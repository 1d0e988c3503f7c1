import type { GpuDevice } from './device';
import type { KernelFile } from './kernel-table';
import paramsSource from './kernels/transformer-params.wgsl';
import { makeShaderDataDefinitions, makeStructuredView } from './struct-views';
import type { DeviceMatrix } from './transformer-weights';

const structs = makeShaderDataDefinitions(paramsSource).structs;
type StructName = 'LinearParams' | 'NormParams' | 'GateParams' | 'PartParams';

/** Edge of a tile of the products, as in `transformer-linear.wgsl`. */
const TILE = 64;
const WORKGROUP = 64;
/** Most workgroups of a grid's dimension that every adapter takes. */
const MAX_GROUPS = 65_535;

/** Workgroups in two dimensions, of which the last may have some too many. */
function folded(groups: number): readonly [number, number] {
  const rows = Math.ceil(groups / MAX_GROUPS);
  return [Math.ceil(groups / rows), rows];
}

/** Dispatches of a decoder's steps, gathered until they are flushed. */
export interface LayerSteps {
  linear(matrix: DeviceMatrix, x: GPUBuffer, out: GPUBuffer, rows: number, adds?: boolean): void;
  norm(x: GPUBuffer, weight: GPUBuffer, out: GPUBuffer, runs: number, width: number): void;
  gate(gate: GPUBuffer, up: GPUBuffer, count: number): void;
  /** Buffers in the order of `transformer-part.wgsl`. */
  part(
    buffers: readonly GPUBuffer[],
    params: Readonly<Record<'rows' | 'heads' | 'group' | 'blocks' | 'headSize' | 'scale', number>>,
  ): void;
  flush(): void;
  /** Flushes, and copies the first floats of buffers back. */
  read(
    sources: readonly (readonly [GPUBuffer, number])[],
  ): Promise<readonly Float32Array<ArrayBuffer>[]>;
  destroy(): void;
}

/** The decoder's pipelines on a device; steps of every call begin anew. */
export async function prepareSteps(
  gpu: GpuDevice,
  headSize: number,
  epsilon: number,
): Promise<() => LayerSteps> {
  const { device } = gpu;
  const get = (file: KernelFile, options: object = {}) =>
    gpu.settle(gpu.pipelines.get({ file, ...options }));
  const linearPipeline = await get('transformer-linear.wgsl');
  const normPipeline = await get('transformer-norm.wgsl');
  const gatePipeline = await get('transformer-gate.wgsl', { overrides: { WORKGROUP } });
  const partPipeline = await get('transformer-part.wgsl', {
    overrides: { WORKGROUP },
    constants: { VECTORS: Math.ceil(headSize / 4) },
  });

  return () => {
    const uniforms = new Map<string, GPUBuffer>();
    let encoder = device.createCommandEncoder();

    function uniform(name: StructName, values: Readonly<Record<string, number>>): GPUBuffer {
      const key = JSON.stringify([name, values]);
      const known = uniforms.get(key);
      if (known) return known;
      const view = makeStructuredView(structs[name]!);
      view.set(values);
      const buffer = device.createBuffer({
        size: Math.max(16, view.arrayBuffer.byteLength),
        usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
      });
      device.queue.writeBuffer(buffer, 0, view.arrayBuffer);
      uniforms.set(key, buffer);
      return buffer;
    }

    function dispatch(
      pipeline: GPUComputePipeline,
      buffers: readonly GPUBuffer[],
      [x, y]: readonly [number, number],
    ): void {
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(
        0,
        device.createBindGroup({
          layout: pipeline.getBindGroupLayout(0),
          entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
        }),
      );
      pass.dispatchWorkgroups(x, y);
      pass.end();
    }

    function flush(): void {
      device.queue.submit([encoder.finish()]);
      encoder = device.createCommandEncoder();
    }

    return {
      linear({ weight, bias, inputs, outputs }, x, out, rows, adds = false) {
        const params = uniform('LinearParams', { rows, inputs, outputs, adds: adds ? 1 : 0 });
        const grid = [Math.ceil(outputs / TILE), Math.ceil(rows / TILE)] as const;
        dispatch(linearPipeline, [x, weight, bias, out, params], grid);
      },
      norm(x, weight, out, runs, width) {
        const params = uniform('NormParams', { runs, width, epsilon });
        dispatch(normPipeline, [x, weight, out, params], folded(runs));
      },
      gate(gate, up, count) {
        const params = uniform('GateParams', { count });
        dispatch(gatePipeline, [up, gate, params], folded(Math.ceil(count / WORKGROUP)));
      },
      part(buffers, params) {
        const grid = [Math.ceil(params.rows / WORKGROUP), params.heads] as const;
        dispatch(partPipeline, [...buffers, uniform('PartParams', params)], grid);
      },
      flush,
      async read(sources) {
        const total = sources.reduce((sum, [, count]) => sum + 4 * count, 0);
        const staging = device.createBuffer({
          size: total,
          usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
        });
        try {
          let at = 0;
          for (const [source, count] of sources) {
            encoder.copyBufferToBuffer(source, 0, staging, at, 4 * count);
            at += 4 * count;
          }
          flush();
          await gpu.settle(staging.mapAsync(GPUMapMode.READ));
          const values = new Float32Array(staging.getMappedRange());
          let start = 0;
          return sources.map(([, count]) => {
            start += count;
            return values.slice(start - count, start);
          });
        } finally {
          staging.destroy();
        }
      },
      destroy() {
        for (const buffer of uniforms.values()) buffer.destroy();
      },
    };
  };
}

/** Rows of a block of `transformer-part.wgsl`. */
export const PART_ROWS = WORKGROUP;
