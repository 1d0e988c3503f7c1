import type { AttentionShape } from '../spec/kinds/attention';
import { formatBytes } from './buffers';
import type { GpuDevice } from './device';
import type { Storage } from './stored';

/** WebGPU's default limit of a texture's width and height, which devices here are opened with. */
const MAX_SIDE = 8192;
/** Rows are counted in f32 in the kernels. */
const MAX_ROWS = 2 ** 24;

const FORMATS = {
  f32: 'rgba32float',
  half: 'rgba16float',
  'half-words': 'rgba16float',
} as const satisfies Partial<Record<Storage, GPUTextureFormat>>;

const TEXEL_BYTES = { rgba32float: 16, rgba16float: 8 } as const;

/** Whether a texture can hold a storage: no format is bf16. */
export const isTexelStorage = (storage: Storage): storage is keyof typeof FORMATS =>
  storage in FORMATS;

/**
 * Rows of keys or values in a line of a texture: the power of two that fills it best, so that the
 * kernels find a row's line and place without rounding.
 *
 * @param dims vec4 per row, headSize / 4
 */
export function rowsPerLine(dims: number): number {
  return 2 ** Math.floor(Math.log2(MAX_SIDE / dims));
}

/** Wider heads are taken two keys at a time: the unrolled loads of four outgrow a cache. */
const MAX_FOUR_KEYS_HEAD_SIZE = 96;

/** What the kernels over textures unroll for a head size. */
export const texelConstants = (headSize: number) => ({
  DIMS: headSize / 4,
  SLICES: Math.ceil(headSize / 16),
  PAIRS: headSize > MAX_FOUR_KEYS_HEAD_SIZE ? 1 : 2,
  ROWS_PER_LINE: rowsPerLine(headSize / 4),
});

/** Rows of so many texels each that a texture can hold. */
export const mostRows = (texels: number) => Math.min(MAX_ROWS, rowsPerLine(texels) * MAX_SIDE);

/** Whether a texture has room for the keys of a shape. */
export const fitsTexels = ({ batch, kvHeads, keys, headSize }: AttentionShape): boolean =>
  batch * kvHeads * keys <= mostRows(headSize / 4);

/** Rows of so many texels each. */
interface TexelRows {
  readonly format: GPUTextureFormat;
  readonly texelBytes: number;
  readonly texels: number;
  readonly rows: number;
}

/** A texture for rows, and how to fill it line by line. */
async function rowsTexture(gpu: GpuDevice, name: string, each: TexelRows) {
  const { device } = gpu;
  const { format, texelBytes, texels, rows } = each;
  const perLine = rowsPerLine(texels);
  const lineBytes = perLine * texels * texelBytes;
  const lines = Math.floor(rows / perLine);
  const size: [number, number] = [perLine * texels, Math.max(1, Math.ceil(rows / perLine))];
  device.pushErrorScope('out-of-memory');
  const texture = device.createTexture({
    label: name,
    size,
    format,
    usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST,
  });
  if ((await gpu.settle(device.popErrorScope())) !== null) {
    texture.destroy();
    throw new Error(`out of GPU memory: ${name} needs ${formatBytes(lineBytes * size[1])}`);
  }
  return { texture, lineBytes, lines, width: size[0], rest: (rows % perLine) * texels };
}

/** Uploads rows into a texture; rejects where the device is out of memory. */
export async function rowsAsTexels(
  gpu: GpuDevice,
  name: string,
  each: TexelRows & { readonly data: GPUAllowSharedBufferSource },
): Promise<GPUTexture> {
  const { texture, lineBytes, lines, width, rest } = await rowsTexture(gpu, name, each);
  const { queue } = gpu.device;
  const layout = { bytesPerRow: lineBytes };
  if (lines > 0) queue.writeTexture({ texture }, each.data, layout, [width, lines]);
  if (rest > 0) {
    const offset = lines * lineBytes;
    queue.writeTexture({ texture, origin: [0, lines] }, each.data, { ...layout, offset }, [
      rest,
      1,
    ]);
  }
  return texture;
}

/**
 * Copies a tensor [rows, headSize] into a texture of which a texel is a vec4.
 *
 * @throws RangeError for bf16, or more rows than a texture holds
 */
export async function texelsOf(
  gpu: GpuDevice,
  name: string,
  tensor: GPUBuffer,
  rows: number,
  headSize: number,
  storage: Storage,
): Promise<GPUTexture> {
  if (!isTexelStorage(storage)) {
    throw new RangeError(
      `invalid storage: ${storage} (expected f32, half or half-words in texels)`,
    );
  }
  if (rows > mostRows(headSize / 4)) {
    throw new RangeError(
      `invalid rows: ${rows} (expected at most ${mostRows(headSize / 4)} in texels)`,
    );
  }
  const { device } = gpu;
  const format = FORMATS[storage];
  const { texture, lineBytes, lines, width, rest } = await rowsTexture(gpu, name, {
    format,
    texelBytes: TEXEL_BYTES[format],
    texels: headSize / 4,
    rows,
  });
  const encoder = device.createCommandEncoder();
  if (lines > 0) {
    const source = { buffer: tensor, bytesPerRow: lineBytes };
    encoder.copyBufferToTexture(source, { texture }, [width, lines]);
  }
  if (rest > 0) {
    const source = { buffer: tensor, offset: lines * lineBytes };
    encoder.copyBufferToTexture(source, { texture, origin: [0, lines] }, [rest, 1]);
  }
  device.queue.submit([encoder.finish()]);
  return texture;
}
