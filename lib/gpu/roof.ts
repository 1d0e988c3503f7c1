import { placeUnderRoof, raisedRoof } from '../attention/roofline';
import type {
  AdapterInfo,
  AdapterRoof,
  AttentionTiming,
  Clock,
  RoofPlace,
} from '../attention/types';
import type { ThreadRoof } from '../wasm/roof';
import { storageBuffer } from './buffers';
import type { GpuDevice } from './device';
import { measure, passTimestamps } from './measure';
import type { KernelVariant } from './pipelines';

const BUDGET_SECONDS = 1.5;
const LONG_ENOUGH_SECONDS = 0.01;
const MATMUL_SIZES = [256, 512, 1024, 2048] as const;
const COPY_BYTES = [4 * 2 ** 20, 16 * 2 ** 20, 64 * 2 ** 20] as const;

interface Probe {
  readonly variant: KernelVariant;
  readonly buffers: readonly number[];
  readonly grid: readonly [number, number];
}

async function secondsOf(gpu: GpuDevice, probe: Probe): Promise<{ seconds: number; clock: Clock }> {
  const { device } = gpu;
  const pipeline = await gpu.settle(gpu.pipelines.get(probe.variant));
  const buffers: GPUBuffer[] = [];
  try {
    for (const bytes of probe.buffers) {
      buffers.push(await storageBuffer(gpu, probe.variant.file, { bytes }));
    }
    const bindings = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
    const { samplesSeconds, clock } = await measure(
      gpu,
      async (stamps) => {
        const encoder = device.createCommandEncoder();
        const timestampWrites = passTimestamps(stamps, true, true);
        const pass = encoder.beginComputePass(timestampWrites ? { timestampWrites } : {});
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bindings);
        pass.dispatchWorkgroups(...probe.grid);
        pass.end();
        device.queue.submit([encoder.finish()]);
        await gpu.settle(device.queue.onSubmittedWorkDone());
      },
      { runs: 3, warmupRuns: 1 },
    );
    return { seconds: Math.min(...samplesSeconds), clock };
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
}

const matmul = (size: number): Probe => ({
  variant: { file: 'roof-matmul.wgsl', overrides: { SIZE: size } },
  buffers: [size * size * 4, size * size * 4, size * size * 4],
  grid: [size / 64, size / 64],
});

const copy = (bytes: number): Probe => ({
  variant: { file: 'roof-copy.wgsl', overrides: { WORKGROUP: 256 } },
  buffers: [bytes, bytes],
  grid: [bytes / 16 / 4 / 256, 1],
});

/**
 * The adapter's own best: a register-tiled matmul and a vec4f copy, each grown until it lasts long
 * enough to time or the budget is spent. Buffers are zero, which no adapter computes faster.
 */
async function calibrate(gpu: GpuDevice): Promise<AdapterRoof> {
  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 1000;
  let gigaflops = 0;
  let gigabytes = 0;
  let clock: Clock = 'performance.now';
  for (const size of MATMUL_SIZES) {
    const result = await secondsOf(gpu, matmul(size));
    gigaflops = Math.max(gigaflops, (2 * size ** 3) / result.seconds / 1e9);
    clock = result.clock;
    if (result.seconds > LONG_ENOUGH_SECONDS || elapsed() > BUDGET_SECONDS / 2) break;
  }
  for (const bytes of COPY_BYTES) {
    if (bytes > gpu.info.maxBufferBytes) break;
    const { seconds } = await secondsOf(gpu, copy(bytes));
    gigabytes = Math.max(gigabytes, (2 * bytes) / seconds / 1e9);
    if (seconds > LONG_ENOUGH_SECONDS || elapsed() > BUDGET_SECONDS) break;
  }
  return {
    matmulGigaflopsPerSecond: gigaflops,
    copyGigabytesPerSecond: gigabytes,
    clock,
    measuredSeconds: elapsed(),
  };
}

/** What a run adds to a result once its roof is known. */
export interface UnderRoof {
  readonly roof: AdapterRoof | undefined;
  readonly roofPlace: RoofPlace | undefined;
  readonly percentOfRoof: number | undefined;
}

export const NO_ROOF: UnderRoof = {
  roof: undefined,
  roofPlace: undefined,
  percentOfRoof: undefined,
};

export const adapterKey = (info: AdapterInfo): string => JSON.stringify(info);
export const threadsKey = (threads: number): string => `${threads} threads`;

/** Roofs by adapter, and of WebAssembly by the number of threads, each measured once. */
export class RoofCache {
  readonly #roofs = new Map<string, AdapterRoof>();
  /** Measurements that go on, also where a cancelled job no longer waits for them. */
  readonly #pending = new Map<string, Promise<AdapterRoof>>();

  async get(gpu: GpuDevice): Promise<AdapterRoof> {
    return this.#measured(adapterKey(gpu.info), () => calibrate(gpu));
  }

  /** @param probe what one thread or all of them reach together; takes less than 0.3 s */
  async ofThreads(threads: number, probe: () => Promise<ThreadRoof>): Promise<AdapterRoof> {
    return this.#measured(threadsKey(threads), async () => {
      const start = performance.now();
      const { gigaflopsPerSecond, gigabytesPerSecond } = await probe();
      return {
        matmulGigaflopsPerSecond: gigaflopsPerSecond,
        copyGigabytesPerSecond: gigabytesPerSecond,
        clock: 'performance.now',
        measuredSeconds: (performance.now() - start) / 1000,
        threads,
      };
    });
  }

  /** Places a run under its roof, which it lifts where it beats it; nothing without a roof. */
  place(
    key: string,
    timing: Pick<AttentionTiming, 'flops' | 'gigaflopsPerSecond'>,
    bytes: number,
  ): UnderRoof {
    const known = this.#roofs.get(key);
    if (known === undefined) return NO_ROOF;
    const roof = raisedRoof(known, timing, bytes);
    this.#roofs.set(key, roof);
    const roofPlace = placeUnderRoof(roof, timing, bytes);
    return { roof, roofPlace, percentOfRoof: roofPlace.percent };
  }

  async #measured(key: string, measureRoof: () => Promise<AdapterRoof>): Promise<AdapterRoof> {
    const known = this.#roofs.get(key);
    if (known !== undefined) return known;
    let pending = this.#pending.get(key);
    if (pending === undefined) {
      pending = measureRoof()
        .then((roof) => {
          this.#roofs.set(key, roof);
          return roof;
        })
        .finally(() => this.#pending.delete(key));
      this.#pending.set(key, pending);
    }
    return pending;
  }
}
