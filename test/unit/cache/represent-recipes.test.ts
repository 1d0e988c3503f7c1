import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { codeRange } from '../../../lib/attention/quantise/quantise';
import { checkPolicy } from '../../../lib/cache/policy/checks';
import { checkForm } from '../../../lib/cache/represent/checks';
import { byteLength, bytesByRole, type Matrix } from '../../../lib/cache/represent/matrix';
import { cachegen } from '../../../lib/cache/represent/recipes/cachegen';
import { type GearOptions, gear } from '../../../lib/cache/represent/recipes/gear';
import { kivi, perToken } from '../../../lib/cache/represent/recipes/grouped';
import { balancedGroups, separableChannels } from '../../../lib/cache/represent/recipes/mixed';
import { vidkv } from '../../../lib/cache/represent/recipes/vidkv';
import { projectedForm, quantisedForm } from '../../../lib/spec/cache-forms';
import { cachePolicy } from '../../../lib/spec/cache-policy';
import { largestDifference, lowRankRows, matrixFrom, normalRows, squaredError } from './rows';
import { TINY } from './tiny-model';

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
  const config = { headSize: 16, kvHeads: 4, layers: 4 };
  const messages = (form: object, slots?: number) =>
    checkForm(parseForm(form), config, slots).map(
      ({ severity, field, value, text }) => `${severity}: ${field} ${value}: ${text}`,
    );

  test('say what does not fit', () => {
    expect(messages({ type: 'mikv', groupChannels: 32 })).toEqual([
      'error: groupChannels 32: expected a divisor of headSize 16',
    ]);
    expect(messages({ type: 'kivi', groupChannels: 48 })[0]).toContain('64 channels of a layer');
    expect(messages({ type: 'kivi', groupChannels: 32 })).toEqual([]);
  });

  test('warn where nothing is saved, compressed or found', () => {
    expect(messages({ type: 'cross-layer', valueShare: 1 }, 36)).toEqual([
      'warning: keyShare 0.125: rank 32 of 256 channels saves nothing at 36 slots: it pays from 37',
    ]);
    expect(messages({ type: 'cross-layer', valueShare: 1 }, 37)).toEqual([]);
    expect(messages({ type: 'principal', share: 0.98 }, 500)[0]).toContain('never pays');
    expect(messages({ type: 'projection', share: 0.5, fit: 'prompt' }, 60)[0]).toContain('rank 32');
    expect(messages({ type: 'projection', share: 0.5, fit: 'weights' }, 60)).toEqual([]);
    expect(messages({ type: 'kivi' }, 20)[0]).toContain('no group fills up at 20 slots');
    expect(messages({ type: 'gear' })[0]).toContain('rounds to no value outlier');
  });

  test('reach a policy with their place', () => {
    const policy = (action: object, rest: object = {}) =>
      cachePolicy.parse({ budget: { type: 'ratio', share: 0.5 }, action, ...rest });
    const issues = (action: object, rest?: object) =>
      checkPolicy(policy(action, rest), { config: { ...TINY, ...config }, contextTokens: 36 }).map(
        ({ severity, path }) => `${severity} ${path}`,
      );
    expect(issues({ type: 'project', form: { type: 'cross-layer', valueShare: 1 } })).toEqual([
      'warning action.form.keyShare',
    ]);
    expect(issues({ type: 'quantise', keptForm: { type: 'mikv', groupChannels: 5 } })).toEqual([
      'error action.keptForm.groupChannels',
    ]);
    expect(
      issues(
        { type: 'quantise', form: { type: 'kivi' } },
        { allocator: { type: 'ada', floor: 0.2 } },
      ),
    ).toContain('error action.form.type');
    expect(issues({ type: 'merge', keepCount: false })).toEqual(['warning action.keepCount']);
    expect(issues({ type: 'channel-prune', keepPairs: false })).toEqual(['error action.keepPairs']);
  });
});

function parseForm(form: object) {
  return z.union([quantisedForm, projectedForm]).parse(form);
}
