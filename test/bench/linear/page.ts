import { compareRecurrent } from '../../../lib/attention/recurrent/compare';
import { makeRecurrentInputs } from '../../../lib/attention/recurrent/inputs';
import type { RecurrentShape, StateRule } from '../../../lib/attention/recurrent/types';
import { storageBuffer } from '../../../lib/gpu/buffers';
import { type GpuDevice, openDevice } from '../../../lib/gpu/device';
import type { KernelVariant } from '../../../lib/gpu/pipelines';
import { GUESS_GIGAFLOPS } from '../../../lib/gpu/recurrent-call';
import { prepareRecurrent } from '../../../lib/gpu/recurrent-job';
import { defaultRecurrentPlan, recurrentPlanById } from '../../../lib/gpu/recurrent-plans';
import { instantiateKernel } from '../../../lib/wasm/module';
import { createWasmRecurrent } from '../../../lib/wasm/recurrent';
import { simdLabel } from '../../../lib/wasm/relaxed-simd';

/** One thing to time, bound to the device. */
interface Timed {
  readonly detail: string;
  run(): Promise<void>;
  /** Largest error against the f64 reference; undefined for a probe. */
  check(): Promise<{ maxAbs: number; withinTolerance: boolean } | undefined>;
  destroy(): void;
}

type BenchEngine = 'webgpu' | 'wasm';

/** Long enough that the call from JavaScript does not count. */
const PROBE_DIMS = 256;

let opened: Promise<GpuDevice | undefined> | undefined;
const timed = new Map<string, Timed>();

async function device(): Promise<GpuDevice> {
  opened ??= openDevice();
  const gpu = await opened;
  if (gpu === undefined) throw new Error('no WebGPU adapter in this browser');
  return gpu;
}

/** Whether there is an adapter whose copy a rule in WebAssembly can stand beside. */
async function hasAdapter(): Promise<boolean> {
  opened ??= openDevice();
  return (await opened) !== undefined;
}

async function probe(
  variant: KernelVariant,
  bytes: readonly number[],
  grid: readonly [number, number],
): Promise<Timed> {
  const gpu = await device();
  const pipeline = await gpu.pipelines.get(variant);
  const buffers: GPUBuffer[] = [];
  for (const each of bytes) {
    buffers.push(await storageBuffer(gpu, variant.file, { bytes: each }));
  }
  const bindings = gpu.device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  return {
    detail: variant.file,
    run: async () => {
      const encoder = gpu.device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindings);
      pass.dispatchWorkgroups(...grid);
      pass.end();
      gpu.device.queue.submit([encoder.finish()]);
      await gpu.device.queue.onSubmittedWorkDone();
    },
    check: async () => undefined,
    destroy: () => {
      for (const buffer of buffers) buffer.destroy();
    },
  };
}

async function keep(name: string, each: Timed): Promise<string> {
  timed.set(name, each);
  return each.detail;
}

/** What repeats `work` on this thread. */
const onThread = (detail: string, work: () => void): Timed => ({
  detail,
  run: async () => work(),
  check: async () => undefined,
  destroy: () => undefined,
});

/** The engine's best product: a matmul of `size` x `size`, or as many flops of the WASM tile. */
async function matmul(engine: BenchEngine, size: number): Promise<string> {
  if (engine === 'wasm') {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    const { scorePanel } = instantiateKernel(memory, () => undefined);
    new Float32Array(memory.buffer).fill(0.5);
    const panels = (2 * size ** 3) / (2 * 4 * 8 * PROBE_DIMS);
    return keep(
      'matmul',
      onThread('4 x 8 tiles in cache', () => {
        for (let i = 0; i < panels; i++) scorePanel(1024, 8192, 0, PROBE_DIMS, 1);
      }),
    );
  }
  return keep(
    'matmul',
    await probe(
      { file: 'roof-matmul.wgsl', overrides: { SIZE: size } },
      [4 * size * size, 4 * size * size, 4 * size * size],
      [size / 64, size / 64],
    ),
  );
}

/** Reads half of `bytes` and writes the other half. */
async function copy(engine: BenchEngine, bytes: number): Promise<string> {
  if (engine === 'wasm') {
    const half = bytes >> 1;
    const memory = new Uint8Array(2 * half).fill(1);
    return keep(
      'copy',
      onThread('copyWithin', () => {
        memory.copyWithin(half, 0, half);
      }),
    );
  }
  const perGroup = 256 * 4 * 16;
  const half = Math.ceil(bytes / 2 / perGroup) * perGroup;
  const variant = { file: 'roof-copy.wgsl', overrides: { WORKGROUP: 256 } } as const;
  return keep('copy', await probe(variant, [half, half], [half / perGroup, 1]));
}

/** A rule in WebAssembly, or with the adapter's default plan or the named one. */
async function rule(
  engine: BenchEngine,
  each: StateRule,
  shape: RecurrentShape,
  planId: string | undefined,
): Promise<string> {
  const inputs = makeRecurrentInputs(shape, each, 7);
  if (engine === 'wasm') {
    const walk = createWasmRecurrent(inputs, each);
    return keep('rule', {
      ...onThread(`${simdLabel()}, 1 thread`, () => {
        walk.runAll();
      }),
      check: async () => compareRecurrent(inputs, each, walk.read()),
    });
  }
  const gpu = await device();
  const plan =
    planId === undefined ? defaultRecurrentPlan(gpu.info, each, shape) : recurrentPlanById(planId);
  const start = performance.now();
  const job = await prepareRecurrent(gpu, inputs, each, plan, {
    gigaflopsPerSecond: GUESS_GIGAFLOPS,
  });
  const seconds = (performance.now() - start) / 1000;
  return keep('rule', {
    detail: `plan ${plan.id}, ${job.submits} submits, ready in ${seconds.toFixed(1)} s`,
    run: () => job.run(undefined),
    check: async () => compareRecurrent(inputs, each, await job.read()),
    destroy: job.destroy,
  });
}

/** Wall milliseconds of `runs` runs, one after the other. */
async function sample(name: string, runs: number): Promise<number[]> {
  const milliseconds: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await timed.get(name)!.run();
    milliseconds.push(performance.now() - start);
  }
  return milliseconds;
}

/** Checks what the last run computed and lets it go. */
async function finish(name: string) {
  const each = timed.get(name)!;
  timed.delete(name);
  const error = await each.check();
  each.destroy();
  return error === undefined
    ? undefined
    : { maxAbs: error.maxAbs, withinTolerance: error.withinTolerance };
}

Object.assign(globalThis, { kernelTests: { hasAdapter, matmul, copy, rule, sample, finish } });
