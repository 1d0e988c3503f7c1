import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { unpackCodes } from '../../../lib/attention/quantise/pack';
import { quantise } from '../../../lib/attention/quantise/quantise';
import type { QuantisationScheme } from '../../../lib/attention/quantise/types';
import { codesForTexels, fitsCodeTexels, tokenScales } from '../../../lib/gpu/code-texels';
import { createRandom } from '../../../lib/random/random';

const TOKEN = { type: 'token' } as const;
const scheme = (
  bits: 2 | 4 | 8,
  mode: QuantisationScheme['mode'],
  scaleType: QuantisationScheme['scaleType'] = 'f32',
): QuantisationScheme => ({ bits, mode, granularity: TOKEN, scaleType });

function tensor(rows: number, columns: number, each: QuantisationScheme, seed = 1) {
  const random = createRandom(seed);
  const values = Float32Array.from({ length: rows * columns }, () => random.normal());
  return quantise(values, { heads: 1, rows, columns }, each);
}

/** A code as `codes-texels.wgsl` takes it out of a word: masked, signed, shrunk, offset. */
function readTexelCode(word: number, place: number, { bits, mode }: QuantisationScheme): number {
  const shift = place * bits;
  const isTop = shift === 32 - bits;
  const middle = 2 ** (bits - 1);
  const raw = (word & ((2 ** bits - 1) << shift)) / 2 ** shift;
  if (mode === 'symmetric') return isTop ? raw : raw - middle;
  return isTop ? raw + middle : raw;
}

const anyScheme = fc.record({
  bits: fc.constantFrom<2 | 4 | 8>(2, 4, 8),
  mode: fc.constantFrom<'symmetric' | 'asymmetric'>('symmetric', 'asymmetric'),
});

test('codes come out of texels as they were, whatever the padding of rows', () => {
  fc.assert(
    fc.property(
      anyScheme,
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 16 }),
      fc.integer({ min: 0, max: 1000 }),
      ({ bits, mode }, rows, sixteenths, seed) => {
        const columns = 16 * sixteenths;
        const packed = tensor(rows, columns, scheme(bits, mode), seed);
        const expected = unpackCodes(packed.packed, columns, bits, mode === 'symmetric');
        const words = codesForTexels(packed);
        const pitch = words.length / rows;
        expect(pitch % 4).toBe(0);
        for (let row = 0; row < rows; row++) {
          for (let c = 0; c < columns; c++) {
            const word = words[row * pitch + Math.floor((c * bits) / 32)]!;
            const code = readTexelCode(word, c % (32 / bits), packed.scheme);
            expect(code).toBe(expected[row * columns + c]);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('scales per token lie beside each other, in as few numbers as there are', () => {
  const symmetric = tensor(3, 32, scheme(8, 'symmetric'));
  const asymmetric = tensor(3, 32, scheme(4, 'asymmetric', 'f16'));
  const both = tokenScales(asymmetric, asymmetric);
  expect(both).toMatchObject({ format: 'rgba16float', texelBytes: 8, bytes: 3 * 8 });
  expect(tokenScales(symmetric, symmetric)).toMatchObject({ format: 'rg32float', bytes: 3 * 8 });
  const mixed = tokenScales(symmetric, asymmetric);
  expect(mixed).toMatchObject({ format: 'rgba32float', texelBytes: 16, bytes: 3 * 12 });
  const second = [symmetric.scales[1], asymmetric.scales[1], asymmetric.zeros![1], 0];
  expect([...mixed.data.slice(4, 8)]).toEqual(second);
  const channel = tensor(3, 32, {
    ...scheme(8, 'symmetric'),
    granularity: { type: 'channel', groupTokens: 2 },
  });
  expect(tokenScales(channel, asymmetric).format).toBe('rg16float');
  expect(tokenScales(channel, channel)).toMatchObject({ format: 'r16float', bytes: 0 });
});

test('more rows than a texture has are refused', () => {
  const { shape, ...rest } = tensor(1, 256, scheme(8, 'symmetric'));
  // 16 texels a row, 512 rows a line, 8,192 lines.
  const most = 512 * 8192;
  expect(fitsCodeTexels({ ...rest, shape: { ...shape, rows: most } })).toBe(true);
  expect(fitsCodeTexels({ ...rest, shape: { ...shape, rows: most + 1 } })).toBe(false);
});
