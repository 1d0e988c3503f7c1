import { MAP_CELLS } from '../attention/map';
import type { MapBase } from '../attention/types';
import { readFloats, storageBuffer, uniformBuffer } from './buffers';
import type { GpuDevice } from './device';
import { attentionParamsView, mapParamsView } from './params';
import type { ResidentAttention } from './resident';
import { STORED_FILES } from './stored';
import { variantSlots } from './variant-slots';

const TARGET_SUBMIT_SECONDS = 0.008;
/** Side of a workgroup, in cells. */
const WORKGROUP_CELLS = 8;
const FIRST_COLUMNS = 64;

/**
 * Reduces one head's map on the device from resident Q, K and LSE: 2 x 512 x 512 numbers come
 * back, whatever the length. Cells are submitted in slices whose size follows the time
 * that the last one took; the signal is checked between them.
 */
export async function mapBaseOnDevice(
  gpu: GpuDevice,
  resident: ResidentAttention,
  batch: number,
  head: number,
  options: {
    readonly signal?: AbortSignal;
    readonly onFraction?: (fraction: number) => void;
  } = {},
): Promise<MapBase> {
  const { shape } = resident;
  const { queries, keys } = shape;
  const rows = Math.min(MAP_CELLS, queries);
  const columns = Math.min(MAP_CELLS, keys);
  const { device } = gpu;
  const pipeline = await gpu.settle(
    gpu.pipelines.get({
      file: 'map-base.wgsl',
      slots: variantSlots(resident.program),
      replaced: STORED_FILES[resident.storage],
    }),
  );
  const cells = await storageBuffer(gpu, 'map cells', { bytes: rows * columns * 8 });
  const view = attentionParamsView(shape, resident.program, {
    listStride: 0,
    listHeadStride: 0,
  });
  const params = uniformBuffer(gpu, view.arrayBuffer.byteLength);
  const mapView = mapParamsView({ rows, columns, batch, head, rowStart: 0, columnStart: 0 });
  const map = uniformBuffer(gpu, mapView.arrayBuffer.byteLength);
  try {
    device.queue.writeBuffer(params, 0, view.arrayBuffer);
    const { query, key, lse, tables } = resident;
    const bindings = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [query, key, lse, tables, cells, params, map].map((buffer, binding) => ({
        binding,
        resource: { buffer },
      })),
    });
    const dispatch = async (rowStart: number, rowCount: number, start: number, count: number) => {
      options.signal?.throwIfAborted();
      mapView.set({ rowStart, columnStart: start });
      device.queue.writeBuffer(map, 0, mapView.arrayBuffer);
      const submitted = performance.now();
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindings);
      pass.dispatchWorkgroups(
        Math.ceil(count / WORKGROUP_CELLS),
        Math.ceil(rowCount / WORKGROUP_CELLS),
      );
      pass.end();
      device.queue.submit([encoder.finish()]);
      await gpu.settle(device.queue.onSubmittedWorkDone());
      options.onFraction?.((rowStart + (rowCount * (start + count)) / columns) / rows);
      return (performance.now() - submitted) / 1000;
    };
    // A submit is a part of a row of workgroups until whole rows are short.
    let rowsPerSubmit = WORKGROUP_CELLS;
    let columnsPerSubmit = FIRST_COLUMNS;
    for (let rowStart = 0; rowStart < rows; ) {
      const rowCount = Math.min(rowsPerSubmit, rows - rowStart);
      for (let start = 0; start < columns; ) {
        const count = Math.min(columnsPerSubmit, columns - start);
        const seconds = await dispatch(rowStart, rowCount, start, count);
        start += count;
        if (seconds < TARGET_SUBMIT_SECONDS) {
          if (columnsPerSubmit < columns) columnsPerSubmit *= 2;
          else if (count === columns) rowsPerSubmit *= 2;
        } else if (seconds > 3 * TARGET_SUBMIT_SECONDS) {
          if (rowsPerSubmit > WORKGROUP_CELLS) rowsPerSubmit /= 2;
          else columnsPerSubmit = Math.max(WORKGROUP_CELLS, columnsPerSubmit / 2);
        }
      }
      rowStart += rowCount;
    }
    const pairs = await readFloats(gpu, cells, rows * columns * 2);
    const max = new Float32Array(rows * columns);
    const mean = new Float32Array(rows * columns);
    for (let i = 0; i < max.length; i++) {
      // The kernel marks cells without an unmasked element by -1; probabilities are not negative.
      const isMasked = pairs[2 * i]! < 0;
      max[i] = isMasked ? Number.NaN : pairs[2 * i]!;
      mean[i] = isMasked ? Number.NaN : pairs[2 * i + 1]!;
    }
    return { rows, columns, queries, keys, max, mean };
  } finally {
    for (const buffer of [cells, params, map]) buffer.destroy();
  }
}
