import { packHalves } from '../attention/quantise/half';
import { scaleLayout } from '../attention/quantise/layout';
import type { Quantised } from '../attention/quantise/types';
import type { WgslConstants } from './wgsl';

/** A quantised tensor as `quantised.wgsl` reads it. */
export interface PackedTensor {
  /** Codes, scales, zeros; or the latter two alone. */
  readonly words: Uint32Array<ArrayBuffer>;
  /** The struct `Packed`. */
  readonly params: Uint32Array<ArrayBuffer>;
  readonly vectorsPerWord: number;
  /** Tokens that share a scale per channel; undefined where scales are not per channel. */
  readonly channelGroupTokens: number | undefined;
}

const NO_WORDS = new Uint32Array(0);

const storedWords = (quantised: Quantised, values: Float32Array | undefined): Uint32Array => {
  if (values === undefined) return NO_WORDS;
  if (quantised.scheme.scaleType === 'f16') return packHalves(values);
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
};

/**
 * Joins codes, scales and zeros into one buffer.
 *
 * @param isInTexels codes lie in textures, and scales per token with them: the rest remains
 * @throws RangeError where the columns do not fill whole words and pairs of vec4, or a group of
 * channels no vec4
 */
export function packTensor(name: string, quantised: Quantised, isInTexels = false): PackedTensor {
  const { shape, scheme } = quantised;
  const { granularity } = scheme;
  const packed = isInTexels ? NO_WORDS : quantised.packed;
  const hasScales = !(isInTexels && granularity.type === 'token');
  const multiple = Math.max(8, 32 / scheme.bits);
  if (shape.columns % multiple !== 0 || shape.columns > 256) {
    throw new RangeError(
      `invalid ${name} columns: ${shape.columns} (expected a multiple of ${multiple} up to 256)`,
    );
  }
  if (granularity.type === 'grouped' && granularity.groupChannels % 4 !== 0) {
    throw new RangeError(
      `invalid ${name} groupChannels: ${granularity.groupChannels} (expected a multiple of 4)`,
    );
  }
  const layout = scaleLayout(shape, scheme);
  const scales = hasScales ? storedWords(quantised, quantised.scales) : NO_WORDS;
  const zeros = hasScales ? storedWords(quantised, quantised.zeros) : NO_WORDS;
  const words = new Uint32Array(packed.length + scales.length + zeros.length);
  words.set(packed);
  words.set(scales, packed.length);
  words.set(zeros, packed.length + scales.length);
  return {
    words,
    params: Uint32Array.of(
      packed.length,
      packed.length + scales.length,
      layout.tokensPerScale,
      layout.groups * layout.columns,
      layout.columns,
      Math.max(1, layout.channelsPerScale / 4),
      0,
      0,
    ),
    vectorsPerWord: 8 / scheme.bits,
    channelGroupTokens: 'groupTokens' in granularity ? granularity.groupTokens : undefined,
  };
}

const SCALES = { token: 1, grouped: 2, channel: 3, 'rope-pair': 3 } as const;

/** The constants of `quantised.wgsl` for tensor 0, keys, or 1, values. */
export function packedConstants(index: 0 | 1, { scheme }: Quantised): WgslConstants {
  return {
    [`BITS_${index}`]: scheme.bits,
    [`VECTORS_${index}`]: 8 / scheme.bits,
    [`SIGNED_${index}`]: Number(scheme.mode === 'symmetric'),
    [`SCALES_${index}`]: SCALES[scheme.granularity.type],
    [`HALF_${index}`]: Number(scheme.scaleType === 'f16'),
  };
}
