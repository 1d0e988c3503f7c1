import { runSteps } from '../steps';
import { halfToNumber, numberToHalf } from './half';
import { quantisedBytes, type ScaleLayout, scaleIndex, scaleLayout } from './layout';
import { packCodes, readCode, wordsPerRow } from './pack';
import type { QuantisationScheme, Quantised, ScaleType, TensorShape } from './types';

/** Codes of a scheme, both ends included: 2^bits - 1 steps in either mode. */
export function codeRange(scheme: QuantisationScheme): readonly [low: number, high: number] {
  const { bits, mode } = scheme;
  return mode === 'asymmetric' ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
}

/** Values between two yields: a few milliseconds. */
const STEP_VALUES = 2 ** 16;

/** Smallest and largest value of every group of values that share a scale. */
function* ranges(
  tensor: Float32Array,
  shape: Required<TensorShape>,
  layout: ScaleLayout,
): Generator<number, { readonly low: Float64Array; readonly high: Float64Array }> {
  const { heads, rows, columns } = shape;
  const groups = heads * layout.groups * layout.columns;
  const rowsPerStep = Math.ceil(STEP_VALUES / columns);
  const low = new Float64Array(groups).fill(Number.POSITIVE_INFINITY);
  const high = new Float64Array(groups).fill(Number.NEGATIVE_INFINITY);
  for (let h = 0, i = 0; h < heads; h++) {
    for (let r = 0; r < rows; r++) {
      if (r % rowsPerStep === rowsPerStep - 1) yield i / tensor.length;
      for (let c = 0; c < columns; c++, i++) {
        const x = tensor[i]!;
        if (!Number.isFinite(x)) {
          throw new RangeError(`invalid value: ${x} at head ${h}, row ${r}, column ${c}`);
        }
        const group = scaleIndex(layout, h, r, c);
        if (x < low[group]!) low[group] = x;
        if (x > high[group]!) high[group] = x;
      }
    }
  }
  return { low, high };
}

/** A range must not shrink where it is rounded to f16, or its ends would be clipped. */
function stored(value: number, type: ScaleType, direction: 'up' | 'down'): number {
  return type === 'f32' ? Math.fround(value) : halfToNumber(numberToHalf(value, direction));
}

/**
 * Uniform quantisation to 2, 4 or 8 bits. Asymmetric: scale = (max - min) / (2^bits - 1) and
 * zero = min of the group. Symmetric: the smallest scale whose codes -2^(bits - 1) ..
 * 2^(bits - 1) - 1 reach both ends of the group, so that 0 is exact and no code is wasted. Codes
 * round to nearest, the error of a value is at most half its scale. Scales in f16 are rounded up
 * and zeros down; codes are those of the rounded ones. Granularities: per token; per channel over
 * groups of tokens (keys of KIVI, Liu et al. 2024); groups of channels; per pair of channels that
 * RoPE rotates (FireQ, 2025), because a scale that both share commutes with the rotation.
 *
 * @param tensor [heads, rows, columns], row-major
 * @throws RangeError where the shape or scheme is invalid, the length is not that of the shape, a
 * value is not finite, or a scale or zero does not fit f16
 */
export function quantise(
  tensor: Float32Array,
  tensorShape: TensorShape,
  scheme: QuantisationScheme,
): Quantised {
  return runSteps(quantiseSteps(tensor, tensorShape, scheme));
}

/** `quantise` in slices: yields the share done every few milliseconds. */
export function* quantiseSteps(
  tensor: Float32Array,
  tensorShape: TensorShape,
  scheme: QuantisationScheme,
): Generator<number, Quantised> {
  const shape = { heads: 1, ...tensorShape };
  const { heads, rows, columns } = shape;
  const layout = scaleLayout(shape, scheme);
  if (tensor.length !== heads * rows * columns) {
    throw new RangeError(
      `invalid tensor length: ${tensor.length} (expected ${heads * rows * columns})`,
    );
  }
  const rowsPerStep = Math.ceil(STEP_VALUES / columns);
  const found = ranges(tensor, shape, layout);
  let step = found.next();
  for (; !step.done; step = found.next()) yield step.value / 2;
  const { low, high } = step.value;
  const [lowest, highest] = codeRange(scheme);
  const scales = new Float32Array(low.length);
  const zeros = scheme.mode === 'symmetric' ? undefined : new Float32Array(low.length);
  for (let g = 0; g < low.length; g++) {
    if (zeros !== undefined) zeros[g] = stored(low[g]!, scheme.scaleType, 'down');
    const scale =
      zeros === undefined
        ? Math.max(high[g]! / highest, low[g]! / lowest, 0)
        : (high[g]! - zeros[g]!) / highest;
    scales[g] = stored(scale, scheme.scaleType, 'up');
  }

  const codes = new Int16Array(tensor.length);
  for (let h = 0, i = 0; h < heads; h++) {
    for (let r = 0; r < rows; r++) {
      if (r % rowsPerStep === rowsPerStep - 1) yield (1 + i / tensor.length) / 2;
      for (let c = 0; c < columns; c++, i++) {
        const group = scaleIndex(layout, h, r, c);
        const scale = scales[group]!;
        // A group of one value has scale 0: code 0 gives it back. So does a scale too small for f32.
        if (scale === 0) continue;
        const code = Math.round((tensor[i]! - (zeros?.[group] ?? 0)) / scale);
        codes[i] = Math.min(highest, Math.max(lowest, code));
      }
    }
  }
  return {
    shape,
    scheme,
    packed: packCodes(codes, columns, scheme.bits),
    scales,
    zeros,
    bytes: quantisedBytes(shape, scheme),
  };
}

/** The values that codes stand for, [heads, rows, columns], rounded once to f32. */
export function dequantise(quantised: Quantised): Float32Array<ArrayBuffer> {
  return runSteps(dequantiseSteps(quantised));
}

/** `dequantise` in slices: yields the share done every few milliseconds. */
export function* dequantiseSteps(
  quantised: Quantised,
): Generator<number, Float32Array<ArrayBuffer>> {
  const { shape, scheme, packed, scales, zeros } = quantised;
  const { heads, rows, columns } = shape;
  const layout = scaleLayout(shape, scheme);
  const words = wordsPerRow(columns, scheme.bits);
  const isSigned = scheme.mode === 'symmetric';
  const values = new Float32Array(heads * rows * columns);
  const rowsPerStep = Math.ceil(STEP_VALUES / columns);
  for (let h = 0, i = 0; h < heads; h++) {
    for (let r = 0; r < rows; r++) {
      if (r % rowsPerStep === rowsPerStep - 1) yield i / values.length;
      const rowAt = (h * rows + r) * words;
      for (let c = 0; c < columns; c++, i++) {
        const group = scaleIndex(layout, h, r, c);
        const code = readCode(packed, rowAt, c, scheme.bits, isSigned);
        values[i] = code * scales[group]! + (zeros?.[group] ?? 0);
      }
    }
  }
  return values;
}
