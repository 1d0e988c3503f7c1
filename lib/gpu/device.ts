import type { AdapterInfo } from '../attention/types';
import { PipelineCache } from './pipelines';

const OPTIONAL_FEATURES = ['timestamp-query', 'subgroups', 'shader-f16'] as const;

/** Raised to what the adapter offers; every other limit keeps WebGPU's default. */
const RAISED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
] as const;

/** The device went away: `device.lost`, or a crash of the browser's GPU process. */
export class DeviceLostError extends Error {
  override readonly name = 'DeviceLostError';
}

const LOSS_MESSAGE =
  /external Instance reference no longer exists|Instance dropped|device (is|was) (lost|destroyed)/i;

/** Whether an error of any WebGPU call means that the device is gone. */
export function isDeviceLoss(error: unknown): boolean {
  return (
    error instanceof DeviceLostError || (error instanceof Error && LOSS_MESSAGE.test(error.message))
  );
}

function describe(adapter: GPUAdapter, features: ReadonlySet<string>): AdapterInfo {
  const { info, limits } = adapter;
  return {
    vendor: info.vendor,
    architecture: info.architecture,
    description: info.description,
    isFallback: info.isFallbackAdapter || info.architecture === 'swiftshader',
    hasTimestampQuery: features.has('timestamp-query'),
    hasSubgroups: features.has('subgroups'),
    hasShaderF16: features.has('shader-f16'),
    maxBufferBytes: Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize),
  };
}

/** A device, its pipelines and the fact that it may go away. */
export class GpuDevice {
  readonly device: GPUDevice;
  readonly info: AdapterInfo;
  readonly pipelines: PipelineCache;
  /** Resolves with the reason once the device is gone. */
  readonly lost: Promise<string>;
  #isLost = false;

  constructor(device: GPUDevice, info: AdapterInfo) {
    this.device = device;
    this.info = info;
    this.pipelines = new PipelineCache(device);
    this.lost = device.lost.then(({ reason, message }) => {
      this.#isLost = true;
      return message === '' ? reason : message;
    });
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** Waits for `work`, or throws `DeviceLostError`: promises of a lost device may never settle. */
  async settle<T>(work: Promise<T>): Promise<T> {
    const lost = this.lost.then((reason) => {
      throw new DeviceLostError(`the GPU device was lost: ${reason}`);
    });
    const result = await Promise.race([work.catch((error) => this.#explained(error)), lost]);
    // Work on a destroyed device can resolve before `lost` does; its buffers then hold nothing.
    if (this.#isLost) await lost;
    return result;
  }

  /**
   * The map of a buffer whose device is lost ends as a cancelled one does, with an `AbortError`, and
   * may do so before `lost` resolves.
   */
  async #explained(error: unknown): Promise<never> {
    if ((error as Error).name === 'AbortError') {
      await Promise.race([this.lost, new Promise((resolve) => setTimeout(resolve, 50))]);
      if (this.#isLost) {
        throw new DeviceLostError(`the GPU device was lost: ${await this.lost}`, { cause: error });
      }
    }
    throw error;
  }

  destroy(): void {
    this.device.destroy();
  }
}

/** Opens the default high-performance adapter; undefined where the browser has none. */
export async function openDevice(): Promise<GpuDevice | undefined> {
  const gpu = (globalThis.navigator as Navigator | undefined)?.gpu;
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === undefined || adapter === null) return undefined;
  const features = OPTIONAL_FEATURES.filter((feature) => adapter.features.has(feature));
  const device = await adapter.requestDevice({
    requiredFeatures: features,
    requiredLimits: Object.fromEntries(RAISED_LIMITS.map((name) => [name, adapter.limits[name]])),
  });
  return new GpuDevice(device, describe(adapter, new Set(features)));
}
