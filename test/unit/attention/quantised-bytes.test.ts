import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packHalves } from '../../../lib/attention/quantise/half';
import { quantisedBytes } from '../../../lib/attention/quantise/layout';
import { packCodes, unpackCodes, wordsPerRow } from '../../../lib/attention/quantise/pack';
import { quantise } from '../../../lib/attention/quantise/quantise';
import type { QuantisationScheme } from '../../../lib/attention/quantise/types';
import { packTensor } from '../../../lib/gpu/packed-tensor';
import { createRandom } from '../../../lib/random/random';
import { elements, normals, schemes, seeds, shapes } from './quantise-schemes';

describe('packing', () => {
  test('round-trips codes of any width', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(2, 4, 8),
        fc.boolean(),
        fc.integer({ min: 1, max: 37 }),
        fc.integer({ min: 1, max: 5 }),
        seeds,
        (bits, isSigned, columns, rows, seed) => {
          const random = createRandom(seed);
          const low = isSigned ? -(2 ** (bits - 1)) : 0;
          const codes = Array.from({ length: rows * columns }, () =>
            random.integer(low, low + 2 ** bits - 1),
          );
          const packed = packCodes(codes, columns, bits);
          expect(packed).toHaveLength(rows * Math.ceil((columns * bits) / 32));
          expect([...unpackCodes(packed, columns, bits, isSigned)]).toEqual(codes);
        },
      ),
    );
  });

  test('is little-endian: lower channels in lower bits', () => {
    expect([...packCodes([1, 2, 3, 4, 5, 6, 7, 8, 9], 9, 4)]).toEqual([0x87654321, 9]);
    expect([...packCodes([-1, 0, 1, -128], 4, 8)]).toEqual([0x800100ff]);
    expect([...packCodes([3, 2, 1, 0], 4, 2)]).toEqual([0b00011011]);
    // The bytes that a GPU reads as an array of u8.
    expect([...new Uint8Array(packCodes([1, 2, 3, 4], 4, 8).buffer)]).toEqual([1, 2, 3, 4]);
  });
});

describe('bytes', () => {
  test('count codes, scales and zeros as they are stored', () => {
    fc.assert(
      fc.property(shapes, schemes, seeds, (shape, scheme, seed) => {
        const quantised = quantise(normals(elements(shape), seed), shape, scheme);
        const width = scheme.scaleType === 'f16' ? 2 : 4;
        expect(quantised.bytes).toEqual({
          codes: quantised.packed.byteLength,
          scales: quantised.scales.length * width,
          zeros: (quantised.zeros?.length ?? 0) * width,
          total: expect.any(Number),
          bitsPerElement: (8 * quantised.bytes.total) / elements(shape),
        });
        const { codes, scales, zeros, total } = quantised.bytes;
        expect(codes + scales + zeros).toBe(total);
        expect(wordsPerRow(shape.columns, scheme.bits) * 4 * shape.heads * shape.rows).toBe(codes);
      }),
    );
  });

  test('two bits in groups of 32 with scale and zero in f16 are three bits per element', () => {
    const scheme = {
      bits: 2,
      mode: 'asymmetric',
      granularity: { type: 'channel', groupTokens: 32 },
      scaleType: 'f16',
    } as const;
    const shape = { rows: 128, columns: 64 };
    expect(quantisedBytes(shape, scheme).bitsPerElement).toBe(3);
    expect(quantisedBytes(shape, scheme, 'f32').bitsPerElement).toBe(4);
  });
});

describe('the device buffer', () => {
  const scheme = {
    bits: 4,
    mode: 'asymmetric',
    granularity: { type: 'grouped', groupChannels: 8 },
    scaleType: 'f16',
  } as const;

  test('holds codes, scales and zeros, no more', () => {
    const quantised = quantise(normals(5 * 16, 1), { rows: 5, columns: 16 }, scheme);
    const { words, params } = packTensor('key', quantised);
    expect(words.byteLength).toBe(quantised.bytes.total);
    expect([...words.subarray(0, params[0])]).toEqual([...quantised.packed]);
    expect([...words.subarray(params[0], params[1])]).toEqual([...packHalves(quantised.scales)]);
    expect([...words.subarray(params[1])]).toEqual([...packHalves(quantised.zeros!)]);
  });

  test('refuses columns and groups that the kernels cannot read', () => {
    const pack = (columns: number, changes: Partial<QuantisationScheme>) => () =>
      packTensor(
        'value',
        quantise(new Float32Array(columns), { rows: 1, columns }, { ...scheme, ...changes }),
      );
    const token = { type: 'token' } as const;
    expect(pack(12, { granularity: token })).toThrow(
      'invalid value columns: 12 (expected a multiple of 8 up to 256)',
    );
    expect(pack(8, { granularity: token, bits: 2 })).toThrow('expected a multiple of 16 up to 256');
    expect(pack(264, {})).toThrow('invalid value columns: 264');
    expect(pack(8, { granularity: { type: 'grouped', groupChannels: 2 } })).toThrow(
      'invalid value groupChannels: 2 (expected a multiple of 4)',
    );
  });
});
