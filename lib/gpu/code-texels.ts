import { roundToHalves } from '../attention/quantise/half';
import type { Quantised } from '../attention/quantise/types';
import type { GpuDevice } from './device';
import type { OwnedBuffers } from './owned-buffers';
import { mostRows, rowsAsTexels, rowsPerLine } from './texels';
import type { WgslConstants } from './wgsl';

/** Channels of a row that one lane of a quad unrolls. */
const LANE_CHANNELS = 64;
/** Words of 32 bits per texel. */
const TEXEL_WORDS = 4;

/** Lanes that share a row. */
const lanesPerRow = (columns: number): 1 | 2 | 4 =>
  columns <= LANE_CHANNELS ? 1 : columns <= 2 * LANE_CHANNELS ? 2 : 4;

/** Texels of a row per lane; the last ones may be padded. */
function laneTexels({ shape, scheme }: Quantised): number {
  const words = (shape.columns * scheme.bits) / 32;
  return Math.ceil(words / (TEXEL_WORDS * lanesPerRow(shape.columns)));
}

const rowTexels = (each: Quantised) => laneTexels(each) * lanesPerRow(each.shape.columns);

/** The top bit of every code of a word. */
const TOP_BITS = { 2: 0xaaaaaaaa, 4: 0x88888888, 8: 0x80808080 } as const;

/**
 * Words of codes as `codes-texels.wgsl` reads them, rows padded to whole texels: all codes are counted
 * from 0, but for the topmost of a word, which is two's complement.
 */
export function codesForTexels(each: Quantised): Uint32Array<ArrayBuffer> {
  const { packed, scheme, shape } = each;
  const flips = scheme.mode === 'symmetric' ? TOP_BITS[scheme.bits] & 0x7fffffff : 0x80000000;
  const words = (shape.columns * scheme.bits) / 32;
  const pitch = rowTexels(each) * TEXEL_WORDS;
  const rows = shape.heads * shape.rows;
  const codes = new Uint32Array(rows * pitch);
  for (let row = 0; row < rows; row++) {
    for (let w = 0; w < words; w++) {
      codes[row * pitch + w] = packed[row * words + w]! ^ flips;
    }
  }
  return codes;
}

/** Bytes of a tensor's codes in texels. */
const codeTexelBytes = (each: Quantised): number =>
  each.shape.heads * each.shape.rows * rowTexels(each) * TEXEL_WORDS * 4;

/** Whether a texture has room for a tensor's codes. */
export const fitsCodeTexels = (each: Quantised): boolean =>
  each.shape.heads * each.shape.rows <= mostRows(rowTexels(each));

/** The constants of `codes-texels.wgsl`. */
export const codeTexelConstants = (key: Quantised, value: Quantised): WgslConstants => ({
  TEXELS_0: laneTexels(key),
  TEXELS_1: laneTexels(value),
  ROWS_PER_LINE_0: rowsPerLine(rowTexels(key)),
  ROWS_PER_LINE_1: rowsPerLine(rowTexels(value)),
  ROWS_PER_LINE_2: rowsPerLine(1),
  LANES: lanesPerRow(key.shape.columns),
});

/** The scales per token of keys and values side by side, and what a texture of them holds per row. */
export interface TokenScales {
  readonly format: GPUTextureFormat;
  readonly texelBytes: number;
  readonly data: Uint16Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
  /** Of the scales and zeros that there are. */
  readonly bytes: number;
}

/**
 * Scale and, where codes have one, zero of every row's key, then of its value, for those of the two
 * that have a scale per token; one number per row where none has.
 */
export function tokenScales(key: Quantised, value: Quantised): TokenScales {
  const perToken = [key, value].filter(({ scheme }) => scheme.granularity.type === 'token');
  const numbers = perToken.flatMap(({ scales, zeros }) =>
    zeros === undefined ? [scales] : [scales, zeros],
  );
  const rows = key.shape.heads * key.shape.rows;
  // No format has three numbers.
  const count = numbers.length < 2 ? 1 : numbers.length === 2 ? 2 : 4;
  const joined = new Float32Array(rows * count);
  for (const [i, each] of numbers.entries()) {
    for (let row = 0; row < rows; row++) joined[row * count + i] = each[row]!;
  }
  const isHalf = perToken.every(({ scheme }) => scheme.scaleType === 'f16');
  const channels = ({ 1: 'r', 2: 'rg', 4: 'rgba' } as const)[count];
  return {
    format: isHalf ? `${channels}16float` : `${channels}32float`,
    texelBytes: count * (isHalf ? 2 : 4),
    data: isHalf ? roundToHalves(joined) : joined,
    bytes: rows * numbers.length * (isHalf ? 2 : 4),
  };
}

/** Uploads codes and scales per token; rejects where the device is out of memory. */
export async function codesInTexels(
  gpu: GpuDevice,
  buffers: OwnedBuffers,
  key: Quantised,
  value: Quantised,
): Promise<Record<'key' | 'value' | 'scales', GPUTextureView> & { readonly bytes: number }> {
  const rows = key.shape.heads * key.shape.rows;
  const view = async (name: string, each: Parameters<typeof rowsAsTexels>[2]) =>
    buffers.own(await rowsAsTexels(gpu, name, each)).createView();
  const codes = (name: string, each: Quantised) =>
    view(name, {
      // Of f32, which a sampler reads as they are; integers could only be loaded, with bounds to check.
      format: 'rgba32float',
      data: codesForTexels(each),
      texelBytes: 4 * TEXEL_WORDS,
      texels: rowTexels(each),
      rows,
    });
  const scales = tokenScales(key, value);
  return {
    key: await codes('codes of keys', key),
    value: await codes('codes of values', value),
    scales: await view('scales per token', { ...scales, texels: 1, rows }),
    bytes: codeTexelBytes(key) + codeTexelBytes(value) + scales.bytes,
  };
}
