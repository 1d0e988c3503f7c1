import type { GpuDevice } from './device';
import type { KernelFile } from './kernel-table';
import { createSubmitPace } from './submit-pace';
import { createStepUniforms, type StructName } from './transformer-uniforms';
import type { DeviceMatrix } from './transformer-weights';

/** Edge of a tile of the products, as in `transformer-linear.wgsl`. */
const TILE = 64;
/** Rows up to which `transformer-vector.wgsl` is taken: a tile would be nearly empty. */
const MAX_VECTOR_ROWS = 8;
const WORKGROUP = 64;
/** Most workgroups of a grid's dimension that every adapter takes. */
const MAX_GROUPS = 65_535;
/** Slots of a workgroup of `transformer-ragged.wgsl`. */
export const SPLIT_SLOTS = 256;
/** Vectors of a head that it sums at once. */
const MAX_WIDTH = 32;
/** Rows of a block of `transformer-part.wgsl`. */
export const PART_ROWS = WORKGROUP;

type Grid = readonly [number, number, number?];
type Numbers<Name extends string> = Readonly<Record<Name, number>>;
export type PartParams = Numbers<
  'rows' | 'heads' | 'group' | 'blocks' | 'headSize' | 'scale' | 'limitsAt'
>;
export type PlaceParams = Numbers<
  'rows' | 'heads' | 'kvHeads' | 'headSize' | 'stride' | 'at' | 'halves'
>;
export type RaggedParams = Numbers<
  'rows' | 'heads' | 'group' | 'kvHeads' | 'splits' | 'headSize' | 'scale' | 'at' | 'keeps'
>;

/** Workgroups in two dimensions, of which the last may have some too many. */
function folded(groups: number): readonly [number, number] {
  const rows = Math.ceil(groups / MAX_GROUPS);
  return [Math.ceil(groups / rows), rows];
}

const foldedThreads = (threads: number) => folded(Math.ceil(threads / WORKGROUP));

/** Copies on their way back, taken where the steps that made them stand. */
export interface Collected {
  /** @param from float to begin at; 0 unless given */
  take(source: GPUBuffer, count: number, from?: number): void;
  /** Submits what is left, and waits; arrays in the order they were taken. */
  read(): Promise<readonly Float32Array<ArrayBuffer>[]>;
}

/** Dispatches of a decoder's steps, submitted about every 8 ms of device time. Buffers in the order of the kernels' files. */
export interface LayerSteps {
  linear(matrix: DeviceMatrix, x: GPUBuffer, out: GPUBuffer, rows: number, adds?: boolean): void;
  norm(x: GPUBuffer, weight: GPUBuffer, out: GPUBuffer, runs: number, width: number): void;
  gate(gate: GPUBuffer, up: GPUBuffer, count: number): void;
  part(buffers: readonly GPUBuffer[], params: PartParams, slots: number): void;
  turn(buffers: readonly GPUBuffer[], params: PlaceParams): void;
  place(buffers: readonly GPUBuffer[], params: PlaceParams): void;
  ragged(buffers: readonly GPUBuffer[], params: RaggedParams, slots: number): void;
  merge(buffers: readonly GPUBuffer[], params: RaggedParams): void;
  weights(buffers: readonly GPUBuffer[], params: RaggedParams, slots: number): void;
  copyRows(from: GPUBuffer, row: number, to: GPUBuffer, rows: number, width: number): void;
  /** @param count floats of all that will be taken */
  collect(count: number): Collected;
  flush(): void;
  /** Flushes, and copies the first floats of buffers back. */
  read(
    sources: readonly (readonly [GPUBuffer, number])[],
  ): Promise<readonly Float32Array<ArrayBuffer>[]>;
}

export interface PreparedSteps {
  /** Steps of a call; one call at a time. */
  begin(): LayerSteps;
  destroy(): void;
}

/** The decoder's pipelines on a device. */
export async function prepareSteps(
  gpu: GpuDevice,
  headSize: number,
  epsilon: number,
): Promise<PreparedSteps> {
  const { device } = gpu;
  const get = (file: KernelFile, options: object = {}) =>
    gpu.settle(gpu.pipelines.get({ file, ...options }));
  const VECTORS = Math.ceil(headSize / 4);
  const WIDTH = Math.min(MAX_WIDTH, VECTORS);
  const STRIPES = Math.floor(64 / WIDTH);
  const overrides = { WORKGROUP };
  const linearPipeline = await get('transformer-linear.wgsl');
  const vectorPipeline = await get('transformer-vector.wgsl');
  const normPipeline = await get('transformer-norm.wgsl');
  const gatePipeline = await get('transformer-gate.wgsl', { overrides });
  const partPipeline = await get('transformer-part.wgsl', { overrides, constants: { VECTORS } });
  const turnPipeline = await get('transformer-turn.wgsl', { overrides });
  const placePipeline = await get('transformer-place.wgsl', { overrides });
  const constants = { VECTORS, SPLIT: SPLIT_SLOTS, WIDTH, STRIPES };
  const raggedPipeline = await get('transformer-ragged.wgsl', { constants });
  const mergePipeline = await get('transformer-merge.wgsl', { overrides, constants: { VECTORS } });
  const weightsPipeline = await get('transformer-weights.wgsl', { overrides });
  const uniforms = createStepUniforms(device);
  const pace = createSubmitPace();

  function begin(): LayerSteps {
    uniforms.trim();
    let encoder = device.createCommandEncoder();
    let pass: GPUComputePassEncoder | undefined;
    let startedAt: number | undefined;

    function endPass(): void {
      pass?.end();
      pass = undefined;
    }

    function flush(): void {
      endPass();
      device.queue.submit([encoder.finish()]);
      encoder = device.createCommandEncoder();
    }

    function dispatch(
      pipeline: GPUComputePipeline,
      buffers: readonly GPUBuffer[],
      [x, y, z = 1]: Grid,
      [struct, params]: readonly [StructName, Readonly<Record<string, number>>],
      flops: number,
    ): void {
      startedAt ??= performance.now();
      pass ??= encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(
        0,
        device.createBindGroup({
          layout: pipeline.getBindGroupLayout(0),
          entries: [...buffers, uniforms.of(struct, params)].map((buffer, binding) => ({
            binding,
            resource: { buffer },
          })),
        }),
      );
      pass.dispatchWorkgroups(x, y, z);
      if (pace.add(flops)) flush();
    }

    function collect(count: number): Collected {
      const staging = device.createBuffer({
        size: Math.max(4, 4 * count),
        usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      });
      const taken: number[] = [];
      let end = 0;
      return {
        take(source, floats, from = 0) {
          endPass();
          if (floats > 0) {
            encoder.copyBufferToBuffer(source, 4 * from, staging, 4 * end, 4 * floats);
          }
          taken.push(floats);
          end += floats;
        },
        async read() {
          flush();
          try {
            await gpu.settle(staging.mapAsync(GPUMapMode.READ));
            if (startedAt !== undefined) pace.measured((performance.now() - startedAt) / 1000);
            startedAt = undefined;
            const values = new Float32Array(staging.getMappedRange());
            let start = 0;
            return taken.map((floats) => {
              start += floats;
              return values.slice(start - floats, start);
            });
          } finally {
            staging.destroy();
          }
        },
      };
    }

    return {
      linear({ weight, bias, inputs, outputs }, x, out, rows, adds = false) {
        const isFew = rows <= MAX_VECTOR_ROWS;
        const grid: Grid = isFew
          ? [...folded(Math.ceil(outputs / 4)), Math.ceil(rows / 4)]
          : [Math.ceil(outputs / TILE), Math.ceil(rows / TILE)];
        dispatch(
          isFew ? vectorPipeline : linearPipeline,
          [x, weight, bias, out],
          grid,
          ['LinearParams', { rows, inputs, outputs, adds: adds ? 1 : 0 }],
          2 * rows * inputs * outputs,
        );
      },
      norm(x, weight, out, runs, width) {
        const params = ['NormParams', { runs, width, epsilon }] as const;
        dispatch(normPipeline, [x, weight, out], folded(runs), params, 4 * runs * width);
      },
      gate(gate, up, count) {
        dispatch(
          gatePipeline,
          [up, gate],
          foldedThreads(count),
          ['GateParams', { count }],
          8 * count,
        );
      },
      part(buffers, params, slots) {
        const grid = [Math.ceil(params.rows / WORKGROUP), params.heads] as const;
        const flops = 4 * params.rows * params.heads * params.headSize * slots;
        dispatch(partPipeline, buffers, grid, ['PartParams', params], flops);
      },
      turn(buffers, params) {
        const pairs = (params.rows * params.heads * params.headSize) / 2;
        dispatch(turnPipeline, buffers, foldedThreads(pairs), ['PlaceParams', params], 6 * pairs);
      },
      place(buffers, params) {
        const pairs = (params.rows * params.kvHeads * params.headSize) / 2;
        dispatch(placePipeline, buffers, foldedThreads(pairs), ['PlaceParams', params], 6 * pairs);
      },
      ragged(buffers, params, slots) {
        const { rows, heads, splits } = params;
        const flops = 4 * rows * heads * params.headSize * slots;
        dispatch(raggedPipeline, buffers, [splits, heads, rows], ['RaggedParams', params], flops);
      },
      merge(buffers, params) {
        const numbers = params.rows * params.heads * params.headSize;
        dispatch(
          mergePipeline,
          buffers,
          foldedThreads(numbers),
          ['RaggedParams', params],
          2 * numbers * params.splits,
        );
      },
      weights(buffers, params, slots) {
        const { rows, heads } = params;
        const grid = [Math.max(1, Math.ceil(slots / WORKGROUP)), heads, rows] as const;
        dispatch(
          weightsPipeline,
          buffers,
          grid,
          ['RaggedParams', params],
          4 * rows * heads * slots,
        );
      },
      copyRows(from, row, to, rows, width) {
        endPass();
        encoder.copyBufferToBuffer(from, 4 * row * width, to, 0, 4 * rows * width);
      },
      collect,
      flush,
      async read(sources) {
        const collected = collect(sources.reduce((sum, [, count]) => sum + count, 0));
        for (const [source, count] of sources) collected.take(source, count);
        return collected.read();
      },
    };
  }

  return { begin, destroy: uniforms.destroy };
}
