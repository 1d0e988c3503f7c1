import type { AdapterInfo } from '../attention/types';
import { createFullCache } from '../transformer/full-cache';
import { prefill, prefillAsync } from '../transformer/generate';
import type { Transformer } from '../transformer/types';
import { type GpuDevice, isDeviceLoss, openDevice } from './device';
import { createGpuTransformer, type GpuTransformer } from './transformer';

/** Tokens that are read before decoding is timed, and then written; one before them is not counted. */
const TIMED_CONTEXT = 32;
const TIMED_TOKENS = 4;
/** Rows from which on steps run on a device that decodes more slowly than the CPU. */
const PREFILL_ROWS = 16;

/** A GPU that computes one model. */
export interface ModelDevice {
  readonly adapter: AdapterInfo;
  /** Single tokens run on it too; else only steps of many rows. */
  readonly decodes: boolean;
  /** Where it was measured which of the two is faster: milliseconds of one token. */
  readonly decodeMilliseconds?: { readonly device: number; readonly cpu: number };
  readonly forwardAsync: NonNullable<Transformer['forwardAsync']>;
  readonly tally: NonNullable<Transformer['tally']>;
  /** Whether a failure of `forwardAsync` is the device's, not of what was asked. */
  isOurs(error: unknown): boolean;
  destroy(): void;
}

/**
 * A device for a model. With `auto` none where the browser has none, or only one that is computed on
 * the processor, which WebAssembly does faster; and decoding goes where it was measured to be faster.
 * With `webgpu` whatever adapter there is, for everything.
 *
 * @param cpu an engine over the same weights
 * @throws Error with a sentence where the weights do not fit the device, or `webgpu` finds no adapter
 */
export async function openModelDevice(
  cpu: Transformer,
  choice: 'auto' | 'webgpu',
): Promise<ModelDevice | undefined> {
  const gpu = await openDevice();
  if (gpu === undefined) {
    if (choice === 'auto') return undefined;
    throw new Error('no WebGPU adapter in this browser');
  }
  if (choice === 'auto' && gpu.info.isFallback) {
    gpu.destroy();
    return undefined;
  }
  try {
    const model = await createGpuTransformer(gpu, cpu);
    const timed = choice === 'auto' ? await timeDecoding(gpu, cpu, model) : undefined;
    const decodes = timed === undefined || timed.device <= timed.cpu;
    if (!decodes) model.holdFrom(PREFILL_ROWS);
    return {
      adapter: gpu.info,
      decodes,
      ...(timed ? { decodeMilliseconds: timed } : {}),
      // A lost device may leave its promises waiting.
      forwardAsync: (step) => gpu.settle(model.forwardAsync(step)),
      tally: model.tally,
      isOurs: (error) =>
        gpu.isLost ||
        isDeviceLoss(error) ||
        (error instanceof Error && error.message.startsWith('out of GPU memory')),
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

/** Milliseconds of a decoded token on both; undefined for a model without room for it. */
async function timeDecoding(
  gpu: GpuDevice,
  cpu: Transformer,
  model: GpuTransformer,
): Promise<ModelDevice['decodeMilliseconds']> {
  const { config } = cpu;
  const rest = TIMED_TOKENS + 1;
  const read = Math.min(TIMED_CONTEXT, config.maxPositions - rest);
  if (read < 1) return undefined;
  const context = Array.from({ length: read }, (_, i) => i % config.vocabularySize);
  const onDevice = createFullCache(config);
  const onCpu = createFullCache(config);
  await gpu.settle(prefillAsync(model, onDevice, context, 0));
  prefill(cpu, onCpu, context, 0);
  let device = 0;
  let processor = 0;
  for (let i = 0; i < rest; i++) {
    const step = { tokens: [0], positions: [read + i] };
    const start = performance.now();
    await gpu.settle(model.forwardAsync({ ...step, cache: onDevice }));
    const middle = performance.now();
    cpu.forward({ ...step, cache: onCpu });
    if (i === 0) continue;
    device += (middle - start) / TIMED_TOKENS;
    processor += (performance.now() - middle) / TIMED_TOKENS;
  }
  return { device, cpu: processor };
}
