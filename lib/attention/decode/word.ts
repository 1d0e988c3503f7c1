import { scaleIndex, scaleLayout } from '../quantise/layout';
import { readCode } from '../quantise/pack';
import type { Quantised } from '../quantise/types';

/** One word of a packed tensor taken apart: token 0 of head 0, the lowest channels. */
export interface PackedWord {
  readonly word: number;
  readonly bits: number;
  /** By channel, from the lowest bits. */
  readonly fields: readonly PackedField[];
}

export interface PackedField {
  readonly code: number;
  readonly scale: number;
  /** Value of code 0; 0 where codes are signed. */
  readonly zero: number;
  /** code x scale + zero. */
  readonly value: number;
  readonly original: number;
}

/** @param original the tensor before it was quantised */
export function firstWord(quantised: Quantised, original: Float32Array): PackedWord {
  const { packed, shape, scheme, scales, zeros } = quantised;
  const layout = scaleLayout(shape, scheme);
  const fields = Array.from({ length: Math.min(32 / scheme.bits, shape.columns) }, (_, c) => {
    const code = readCode(packed, 0, c, scheme.bits, scheme.mode === 'symmetric');
    const at = scaleIndex(layout, 0, 0, c);
    const scale = scales[at]!;
    const zero = zeros?.[at] ?? 0;
    return { code, scale, zero, value: code * scale + zero, original: original[c]! };
  });
  return { word: packed[0]!, bits: scheme.bits, fields };
}
