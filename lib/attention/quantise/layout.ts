import { wordsPerRow } from './pack';
import type { QuantisationScheme, QuantisedBytes, ScaleType, TensorShape } from './types';

/** Which scale a value reads: the one at `scaleIndex`. */
export interface ScaleLayout {
  readonly tokensPerScale: number;
  /** Groups of tokens per head. */
  readonly groups: number;
  /** Scales per group of tokens. */
  readonly columns: number;
  /** Channel c reads column floor((c mod period) / channelsPerScale). */
  readonly period: number;
  readonly channelsPerScale: number;
}

/** @throws RangeError unless `value` is an integer from 1 */
function checkCount(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) {
    throw new RangeError(`invalid ${name}: ${value} (expected an integer from 1)`);
  }
}

/**
 * Layout of a scheme's scales over a tensor.
 *
 * @throws RangeError where a size or the number of bits is invalid, groupChannels does not divide
 * the columns, or pairs are asked of an odd number of them
 */
export function scaleLayout(shape: TensorShape, scheme: QuantisationScheme): ScaleLayout {
  const { rows, columns } = shape;
  const { granularity } = scheme;
  checkCount('heads', shape.heads ?? 1);
  checkCount('rows', rows);
  checkCount('columns', columns);
  if (![2, 4, 8].includes(scheme.bits)) {
    throw new RangeError(`invalid bits: ${scheme.bits} (expected 2, 4 or 8)`);
  }
  const layout = (tokensPerScale: number, period: number, channelsPerScale: number) => ({
    tokensPerScale,
    groups: Math.ceil(rows / tokensPerScale),
    columns: period / channelsPerScale,
    period,
    channelsPerScale,
  });
  switch (granularity.type) {
    case 'token':
      return layout(1, columns, columns);
    case 'channel':
      checkCount('groupTokens', granularity.groupTokens);
      return layout(granularity.groupTokens, columns, 1);
    case 'grouped': {
      const { groupChannels } = granularity;
      checkCount('groupChannels', groupChannels);
      if (columns % groupChannels !== 0) {
        throw new RangeError(
          `invalid groupChannels: ${groupChannels} (expected a divisor of columns ${columns})`,
        );
      }
      return layout(1, columns, groupChannels);
    }
    case 'rope-pair':
      checkCount('groupTokens', granularity.groupTokens);
      if (columns % 2 !== 0) {
        throw new RangeError(`invalid columns: ${columns} (expected an even number for rope-pair)`);
      }
      return layout(granularity.groupTokens, columns / 2, 1);
  }
}

/** Index into `scales` of the value at [head, row, channel]. */
export function scaleIndex(
  layout: ScaleLayout,
  head: number,
  row: number,
  channel: number,
): number {
  const group = head * layout.groups + Math.floor(row / layout.tokensPerScale);
  return group * layout.columns + Math.floor((channel % layout.period) / layout.channelsPerScale);
}

/** Bytes of a quantised tensor, everything that is needed to read it counted. */
export function quantisedBytes(
  shape: TensorShape,
  scheme: QuantisationScheme,
  scaleType: ScaleType = scheme.scaleType,
): QuantisedBytes {
  const heads = shape.heads ?? 1;
  const layout = scaleLayout(shape, scheme);
  const codes = heads * shape.rows * wordsPerRow(shape.columns, scheme.bits) * 4;
  const scales = heads * layout.groups * layout.columns * (scaleType === 'f16' ? 2 : 4);
  const zeros = scheme.mode === 'asymmetric' ? scales : 0;
  const total = codes + scales + zeros;
  const bitsPerElement = (8 * total) / (heads * shape.rows * shape.columns);
  return { codes, scales, zeros, total, bitsPerElement };
}
