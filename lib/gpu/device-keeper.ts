import { type GpuDevice, isDeviceLoss, openDevice } from './device';

/** One device for everything, opened on first use and opened anew when it was lost. */
export class DeviceKeeper {
  #current: Promise<GpuDevice | undefined> | undefined;
  readonly #onLost: () => void;

  /** @param onLost forgets whatever lives on the lost device */
  constructor(onLost: () => void) {
    this.#onLost = onLost;
  }

  /** The device, or undefined where there is no WebGPU adapter. */
  async get(): Promise<GpuDevice | undefined> {
    this.#current ??= openDevice();
    const opened = await this.#current;
    if (opened === undefined || !opened.isLost) return opened;
    this.#drop();
    this.#current = openDevice();
    return this.#current;
  }

  /**
   * Runs a job; when the device is lost under it, runs it once more on a new one. `onRetry` hears
   * the reason. A second loss rejects with a sentence.
   */
  async withRecovery<T>(
    job: (gpu: GpuDevice) => Promise<T>,
    onRetry: (reason: string) => void,
  ): Promise<T> {
    const first = await this.get();
    if (first === undefined) throw new Error('no WebGPU adapter in this browser');
    try {
      return await job(first);
    } catch (error) {
      // A validation error about a destroyed buffer may arrive before `lost` does.
      await Promise.race([first.lost, new Promise((resolve) => setTimeout(resolve, 50))]);
      if (!isDeviceLoss(error) && !first.isLost) throw error;
      if ((error as Error).name === 'AbortError') throw error;
      onRetry(error instanceof Error ? error.message : String(error));
    }
    this.#drop();
    this.#current = openDevice();
    const second = await this.#current;
    if (second === undefined) {
      throw new Error('the GPU device was lost and the browser offers no adapter any more');
    }
    try {
      return await job(second);
    } catch (error) {
      if (!isDeviceLoss(error) && !second.isLost) throw error;
      throw new Error(
        `the GPU device was lost twice during this job: ${error instanceof Error ? error.message : error}`,
        { cause: error },
      );
    }
  }

  /** Destroys the device under whatever runs. */
  async lose(): Promise<void> {
    (await this.#current)?.destroy();
  }

  #drop(): void {
    this.#onLost();
    this.#current = undefined;
  }
}
