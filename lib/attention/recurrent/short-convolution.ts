import { createRandom, type Random } from '../../random/random';
import type { RecurrentInputs, RecurrentShape } from './types';

/**
 * Depthwise causal convolution over tokens, before q, k and v enter the recurrence: every channel
 * of every head has `width` taps [heads, channels, width], the last one for the token itself.
 */
export interface ShortConvolution {
  readonly width: number;
  readonly activation: 'none' | 'silu';
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
}

export const MAX_CONVOLUTION_WIDTH = 4;

/**
 * Seeded taps: near 1 for the token itself, small for the earlier ones.
 *
 * @throws RangeError where width is not 2..4
 */
export function makeShortConvolution(
  shape: RecurrentShape,
  width: number,
  activation: ShortConvolution['activation'],
  seed: number,
): ShortConvolution {
  if (!Number.isInteger(width) || width < 2 || width > MAX_CONVOLUTION_WIDTH) {
    throw new RangeError(
      `invalid convolution width: ${width} (expected 2..${MAX_CONVOLUTION_WIDTH})`,
    );
  }
  const taps = (random: Random, channels: number) =>
    Float32Array.from(
      { length: shape.heads * channels * width },
      (_, i) => (i % width === width - 1 ? 1 : 0) + 0.3 * random.normal(),
    );
  const random = createRandom(seed);
  return {
    width,
    activation,
    query: taps(random.fork('query taps'), shape.keySize),
    key: taps(random.fork('key taps'), shape.keySize),
    value: taps(random.fork('value taps'), shape.valueSize),
  };
}

/** y_t = act(sum_i taps_i x_(t - width + 1 + i)), zeros before the first token; [batch, heads, tokens, channels]. */
export function convolve(
  tensor: Float32Array,
  shape: RecurrentShape,
  channels: number,
  taps: Float32Array,
  activation: ShortConvolution['activation'],
): Float32Array<ArrayBuffer> {
  const { batch, heads, tokens } = shape;
  const width = taps.length / (heads * channels);
  const result = new Float32Array(tensor.length);
  for (let row = 0; row < batch * heads; row++) {
    const tapRow = (row % heads) * channels;
    for (let t = 0; t < tokens; t++) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let i = Math.max(0, width - 1 - t); i < width; i++) {
          const from = t - width + 1 + i;
          sum += taps[(tapRow + c) * width + i]! * tensor[(row * tokens + from) * channels + c]!;
        }
        const at = (row * tokens + t) * channels + c;
        result[at] = activation === 'silu' ? sum / (1 + Math.exp(-sum)) : sum;
      }
    }
  }
  return result;
}

/** Inputs whose q, k and v went through the convolution; gates and prefix stay. */
export function convolveInputs(
  inputs: RecurrentInputs,
  convolution: ShortConvolution,
): RecurrentInputs {
  const { shape } = inputs;
  const { activation } = convolution;
  return {
    ...inputs,
    query: convolve(inputs.query, shape, shape.keySize, convolution.query, activation),
    key: convolve(inputs.key, shape, shape.keySize, convolution.key, activation),
    value: convolve(inputs.value, shape, shape.valueSize, convolution.value, activation),
  };
}
