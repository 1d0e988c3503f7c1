import { createKernelService } from '../../../lib/gpu/kernel-service';
import type { KernelCall } from '../../../lib/run/worker-api';
import { attentionParams } from '../../../lib/spec/kinds/attention';
import { composeParams } from '../../../lib/spec/kinds/compose';
import { decodeParams } from '../../../lib/spec/kinds/decode';
import { recurrentParams } from '../../../lib/spec/kinds/recurrent';

const SCHEMAS = {
  attention: attentionParams,
  compose: composeParams,
  decode: decodeParams,
  recurrent: recurrentParams,
} as const;

interface Counted {
  destroy(): undefined;
}

let liveBytes = 0;

/** Counts what a kind of resource takes until it is destroyed. */
function countLive<Made extends Counted>(made: Made, bytes: number): Made {
  liveBytes += bytes;
  let isLive = true;
  const destroy = made.destroy.bind(made);
  made.destroy = () => {
    if (isLive) liveBytes -= bytes;
    isLive = false;
    return destroy();
  };
  return made;
}

const TEXEL_BYTES: Partial<Record<GPUTextureFormat, number>> = {
  rgba32float: 16,
  rgba16float: 8,
  rg32float: 8,
  r32float: 4,
};

const { createBuffer, createTexture } = GPUDevice.prototype;
GPUDevice.prototype.createBuffer = function (descriptor) {
  return countLive(createBuffer.call(this, descriptor), descriptor.size);
};
GPUDevice.prototype.createTexture = function (descriptor) {
  const texture = createTexture.call(this, descriptor);
  const texelBytes = TEXEL_BYTES[descriptor.format];
  if (texelBytes === undefined) throw new Error(`unknown texel size of ${descriptor.format}`);
  return countLive(texture, texture.width * texture.height * texelBytes);
};

/** In this thread, so that its device's resources are seen. */
const service = createKernelService();

const callOf = (kind: KernelCall['kind'], params: unknown) =>
  ({ kind, params: SCHEMAS[kind].parse(params) }) as KernelCall;

/** Bytes on the device after a call, and how it ended; cancelled in a phase where one is named. */
async function runAndCount(kind: KernelCall['kind'], params: unknown, cancelIn?: string) {
  const before = liveBytes;
  const ended = await service
    .run(1, callOf(kind, params), ({ phase }) => {
      if (cancelIn !== undefined && phase.endsWith(cancelIn)) service.cancel(1);
    })
    .then(
      () => 'done',
      (error: unknown) => (error instanceof Error ? error.name : String(error)),
    );
  // What was abandoned in a compile is let go of when that has ended.
  for (let i = 0; cancelIn !== undefined && i < 300 && liveBytes > before; i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { ended, liveBytes };
}

async function mapAndCount(params: unknown, head: number) {
  await service.mapBase(2, callOf('attention', params) as never, 0, head);
  return { liveBytes };
}

export const memoryTests = { runAndCount, mapAndCount };
export type MemoryTests = typeof memoryTests;
Object.assign(globalThis, { kernelTests: memoryTests });
