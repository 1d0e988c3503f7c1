import { describe, expect, test } from 'vitest';
import { codeRange } from '../../../lib/attention/quantise/quantise';
import { checkRepresentation } from '../../../lib/cache/represent/checks';
import { byteLength, bytesByRole, type Matrix } from '../../../lib/cache/represent/matrix';
import { cachegen } from '../../../lib/cache/represent/recipes/cachegen';
import { type GearOptions, gear } from '../../../lib/cache/represent/recipes/gear';
import { kivi, perToken } from '../../../lib/cache/represent/recipes/grouped';
import { balancedGroups, separableChannels } from '../../../lib/cache/represent/recipes/mixed';
import { vidkv } from '../../../lib/cache/represent/recipes/vidkv';
import { largestDifference, lowRankRows, matrixFrom, normalRows, squaredError } from './rows';

/** Normal rows with one channel that sticks out, as keys have. */
function keysWithOutlier(rows: number, columns: number): Matrix {
  const matrix = normalRows(rows, columns, 11);
  for (let row = 0; row < rows; row++) {
    matrix.data[row * columns + 2] = 20 + matrix.data[row * columns + 2]!;
  }
  return matrix;
}

describe('KIVI', () => {
  test('keys per channel beat keys per token where a channel sticks out', () => {
    const keys = keysWithOutlier(64, 16);
    const options = { bits: 2, groupTokens: 32, groupChannels: 16, windowTokens: 0 } as const;
    const perChannel = squaredError(kivi(options).keys(keys).decode(), keys.data);
    expect(perChannel).toBeLessThan(squaredError(perToken(2).keys(keys).decode(), keys.data) / 5);
  });

  test('the window and what fills no group are f16: 100 tokens, window 32, groups of 32', () => {
    const codecs = kivi({ bits: 2, groupTokens: 32, groupChannels: 16, windowTokens: 32 });
    const rows = normalRows(100, 16, 1);
    expect(bytesByRole(codecs.keys(rows).buffers).payload).toBe(64 * 4 + 36 * 32);
    expect(bytesByRole(codecs.values(rows).buffers).payload).toBe(68 * 4 + 32 * 32);
  });
});

describe('GEAR', () => {
  const base: GearOptions = {
    bits: 2,
    backbone: { type: 'groups', groupTokens: 64, groupChannels: 64 },
    outlierShare: 0,
    rank: 0,
    powerLoops: 3,
    bufferTokens: 0,
  };

  test('each correction lowers the error and adds its bytes', () => {
    const rows = lowRankRows(256, 64, 6, 2);
    const errors = [base, { ...base, rank: 4 }, { ...base, rank: 4, outlierShare: 0.02 }].map(
      (options) => {
        const encoded = gear(options).values(rows);
        return {
          error: squaredError(encoded.decode(), rows.data),
          bytes: byteLength(encoded.buffers),
        };
      },
    );
    expect(errors[1]!.error).toBeLessThan(errors[0]!.error);
    expect(errors[2]!.error).toBeLessThan(errors[1]!.error);
    expect(errors[1]!.bytes - errors[0]!.bytes).toBe(2 * 4 * (256 + 64));
    expect(errors[2]!.bytes - errors[1]!.bytes).toBe(256 * 2 * 4);
  });

  test('outliers are put back exactly, up to f16', () => {
    const rows = normalRows(100, 8, 3);
    rows.data[5 * 8 + 1] = 64;
    const decoded = gear({ ...base, backbone: { type: 'vector' }, rank: 2, outlierShare: 0.02 })
      .keys(rows)
      .decode();
    expect(decoded[5 * 8 + 1]).toBe(64);
  });

  test("the code's bits^2 - 1 steps fit 2 and 4 bits only; ours are 2^bits - 1 for all", () => {
    for (const bits of [2, 4, 8] as const) {
      const [low, high] = codeRange({
        bits,
        mode: 'asymmetric',
        granularity: { type: 'token' },
        scaleType: 'f16',
      });
      expect(high - low).toBe(2 ** bits - 1);
      expect(high - low === bits ** 2 - 1).toBe(bits !== 8);
    }
    // With 63 steps, 8 bits would err by up to a 126th of a range; with 255 by a 510th.
    const ramp = matrixFrom(Array.from({ length: 1001 }, (_, i) => [i / 1000]));
    const decoded = gear({ ...base, bits: 8, backbone: { type: 'vector' } })
      .keys(ramp)
      .decode();
    expect(largestDifference(decoded, ramp.data)).toBeLessThan(1 / 500);
  });
});

describe('mixed precision', () => {
  const rows = keysWithOutlier(40, 16);

  test('MiKV: balancing against small queries spares the other channels', () => {
    const queries = normalRows(8, 16, 4);
    for (let row = 0; row < 8; row++) {
      queries.data[row * 16 + 2] = 0.05 * queries.data[row * 16 + 2]!;
    }
    const others = (decoded: Float32Array) =>
      squaredError(
        decoded.filter((_, i) => i % 16 !== 2),
        rows.data.filter((_, i) => i % 16 !== 2),
      );
    const plain = others(balancedGroups(2, 16, undefined).keys(rows).decode());
    const balanced = others(balancedGroups(2, 16, queries).keys(rows).decode());
    expect(balanced).toBeLessThan(plain);
  });

  test('ZipCache: 24 slots in 4 bits, bytes by hand', () => {
    const salient = normalRows(24, 16, 1);
    const codecs = separableChannels(4);
    const keys = bytesByRole(codecs.keys(salient).buffers);
    expect([keys.payload, keys.scales]).toEqual([24 * 8, 16 * 4]);
    const values = bytesByRole(codecs.values(salient).buffers);
    expect([values.payload, values.scales, values.factors]).toEqual([24 * 8, 24 * 4, 16 * 2]);
  });
});

describe('VidKV', () => {
  test('half of 16 channels in 2 bits and half in 1, scales on top: 2.5 bits, not 1.5', () => {
    const codecs = vidkv({ twoBitShare: 0.5, fourier: true, groupTokens: 32, windowTokens: 0 });
    const keys = bytesByRole(codecs.keys(normalRows(32, 16, 1)).buffers);
    // Rows of 8 codes of 1 bit are padded to a word.
    expect(keys.payload).toBe(32 * 4 + 32 * 4);
    expect(keys.scales).toBe(16 * 4);
    const whole = bytesByRole(codecs.keys(normalRows(32, 64, 1)).buffers);
    expect((8 * (whole.payload + whole.scales)) / (32 * 64)).toBe(2.5);
    const values = bytesByRole(codecs.values(normalRows(32, 64, 1)).buffers);
    expect(values.payload).toBe(Math.ceil((32 * 64) / 5));
  });
});

describe('CacheGen', () => {
  test('deeper layers take fewer bytes of the same rows', () => {
    const rows = normalRows(100, 16, 1);
    const bytes = [0, 3].map((layer) => byteLength(cachegen(layer, 4, 10).keys(rows).buffers));
    expect(bytes[1]).toBeLessThan(bytes[0]!);
  });
});

describe('static checks', () => {
  const messages = (shape: Parameters<typeof checkRepresentation>[0]) =>
    checkRepresentation(shape).map(({ level, message }) => `${level}: ${message}`);

  test('say what does not fit', () => {
    expect(messages({ columns: 16, slots: 512, groupChannels: 32 })).toEqual([
      'error: invalid groupChannels: 32 (expected a divisor of 16 channels)',
    ]);
    expect(
      messages({ columns: 16, slots: 9, prunedChannels: { isPreRope: true, inPairs: false } })[0],
    ).toContain('must be pruned in pairs');
  });

  test('warn where nothing is saved, biased or found', () => {
    expect(messages({ columns: 256, slots: 36, rank: 32 })).toEqual([
      'warning: rank 32 of 256 channels saves nothing at 36 slots: it pays from 37',
    ]);
    expect(messages({ columns: 16, slots: 36, rank: 16 })[0]).toContain('never saves');
    expect(messages({ columns: 16, slots: 9, merge: { keepsMultiplicity: false } })[0]).toContain(
      'biased',
    );
    expect(messages({ columns: 16, slots: 20, groupTokens: 32 })[0]).toContain(
      'nothing is compressed',
    );
    expect(
      messages({ columns: 16, slots: 20, outliers: { share: 0.02, vectorLength: 16 } })[0],
    ).toContain('rounds to 0');
  });

  test('say nothing where all is well', () => {
    expect(
      messages({
        columns: 64,
        slots: 512,
        groupChannels: 32,
        groupTokens: 32,
        rank: 16,
        merge: { keepsMultiplicity: true },
        prunedChannels: { isPreRope: true, inPairs: true },
        outliers: { share: 0.02, vectorLength: 512 },
      }),
    ).toEqual([]);
  });
});
