import type { AdapterInfo } from '../attention/types';
import type { ForwardResult, ForwardStep, Transformer } from '../transformer/types';
import { openDevice } from './device';
import { createGpuTransformer } from './transformer';

/** A GPU that reads prompts of one model. */
export interface PrefillDevice {
  readonly adapter: AdapterInfo;
  forwardAsync(step: ForwardStep): Promise<ForwardResult>;
  destroy(): void;
}

/**
 * A device for the prefill of a model; undefined where the browser has none, or only one that is
 * computed on the CPU, which WebAssembly does faster.
 *
 * @param cpu an engine over the same weights
 * @throws Error with a sentence where the weights do not fit the device
 */
export async function openPrefillDevice(cpu: Transformer): Promise<PrefillDevice | undefined> {
  const gpu = await openDevice();
  if (gpu === undefined) return undefined;
  if (gpu.info.isFallback) {
    gpu.destroy();
    return undefined;
  }
  try {
    const model = await createGpuTransformer(gpu, cpu);
    return {
      adapter: gpu.info,
      // A lost device may leave its promises waiting.
      forwardAsync: (step) => gpu.settle(model.forwardAsync(step)),
      destroy() {
        model.destroy();
        gpu.destroy();
      },
    };
  } catch (error) {
    gpu.destroy();
    throw error;
  }
}
