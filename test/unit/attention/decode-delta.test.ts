import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deltaRows } from '../../../lib/attention/decode/delta';
import { decodeInputs } from '../../../lib/attention/decode/inputs';
import { storeTensor } from '../../../lib/attention/decode/stored';
import { applyPreset, STORAGE_PRESETS } from '../../../lib/attention/quantise/presets';
import { runSteps } from '../../../lib/attention/steps';
import { decodeOnWasm } from '../../../lib/gpu/decode-on-wasm';
import { runDecode } from '../../../lib/gpu/run-decode';
import { createRandom } from '../../../lib/random/random';
import { type DeltaStorage, decodeParams } from '../../../lib/spec/kinds/decode';

const delta = (over: Partial<DeltaStorage> = {}): DeltaStorage => ({
  type: 'delta',
  threshold: 0.5,
  groupTokens: 8,
  windowTokens: 0,
  place: 'before-rope',
  ...over,
});

function normals(length: number, seed: number): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length }, () => random.normal());
}

const shape = { batch: 2, queryHeads: 2, kvHeads: 1, keys: 200, headSize: 32 };

/** Share of zeros in the differences of the cell's seeded keys. */
function zeroShare(keyCarry: number, over: Partial<DeltaStorage> = {}): number {
  const params = decodeParams.parse({ shape, keyCarry, keyOutliers: 0 });
  const size = { heads: 2, rows: 200, columns: 32 };
  const { key } = decodeInputs(params);
  return runSteps(storeTensor(key, size, delta({ groupTokens: 64, ...over }))).zeroShare!;
}

describe('keys as differences', () => {
  it('keep what moved by more than the threshold, by hand', () => {
    const rows = Float32Array.from([0, 0, 0.4, 1, 0.6, 1.1, 3, 3, 3.1, 3.1]);
    const stored = deltaRows(rows, 2, delta({ groupTokens: 4, windowTokens: 1 }));
    // 0.4 stays out; 0.6 is more than 0.5 from the 0 that was stored.
    expect([...stored.values]).toEqual(
      Array.from(Float32Array.from([0, 0, 0, 1, 0.6, 1, 3, 3, 3.1, 3.1])),
    );
    expect(stored).toMatchObject({ deltaRows: 3, zeros: 2, bytes: 4 * 8 + 3 });
  });

  it('stay within the threshold, however many rows follow each other', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 999 }),
        fc.double({ min: 0, max: 2, noNaN: true }),
        fc.integer({ min: 1, max: 50 }),
        (seed, threshold, groupTokens) => {
          const rows = normals(40 * 6, seed);
          const { values } = deltaRows(rows, 6, delta({ threshold, groupTokens }));
          rows.forEach((each, i) => {
            expect(Math.abs(values[i]! - each)).toBeLessThanOrEqual(threshold);
          });
        },
      ),
    );
  });

  it('with a threshold of 0 are the keys, also where they turn first', () => {
    const rows = normals(30 * 8, 1);
    expect(deltaRows(rows, 8, delta({ threshold: 0 })).values).toEqual(rows);
    const turned = deltaRows(rows, 8, delta({ threshold: 0, place: 'after-rope' })).values;
    expect(Math.max(...rows.map((each, i) => Math.abs(turned[i]! - each)))).toBeLessThan(1e-5);
  });

  it('keep the window and the first of every group whole', () => {
    const rows = normals(20 * 4, 2);
    const { values, deltaRows: count } = deltaRows(
      rows,
      4,
      delta({ threshold: 64, groupTokens: 6, windowTokens: 5 }),
    );
    const whole = [0, 6, 12, 15, 16, 17, 18, 19];
    for (const row of whole) {
      expect(values.subarray(4 * row, 4 * row + 4)).toEqual(rows.subarray(4 * row, 4 * row + 4));
    }
    expect(count).toBe(20 - whole.length);
    // Nothing moves by more than 64: the rest repeats the row before.
    expect(values.subarray(4, 8)).toEqual(rows.subarray(0, 4));
  });

  it('are sparser where a key carries over, and before it turns', () => {
    expect(zeroShare(0.95)).toBeGreaterThan(zeroShare(0) + 0.3);
    expect(zeroShare(0.99)).toBeGreaterThan(zeroShare(0.99, { place: 'after-rope' }) + 0.1);
  });
});

describe('a decode cell over differences', () => {
  it('is within its own kernel error, and its output error grows with the threshold', async () => {
    const preset = STORAGE_PRESETS.find(({ id }) => id === 'delta')!;
    const params = applyPreset(
      decodeParams.parse({ shape, keyCarry: 0.9, timedRuns: 1, engine: 'wasm' }),
      preset,
    );
    const at = (threshold: number) => ({
      ...params,
      storages: params.storages.map((each) => ({
        ...each,
        key: each.key.type === 'delta' ? { ...each.key, threshold } : each.key,
      })),
    });
    const run = (threshold: number) =>
      runDecode(
        at(threshold),
        decodeOnWasm(undefined, undefined, undefined),
        new AbortController().signal,
        () => undefined,
      );
    const [fine, coarse] = [await run(0.1), await run(1)];
    for (const { storages } of [fine, coarse]) {
      expect(storages.every(({ kernelError }) => kernelError?.withinTolerance)).toBe(true);
      expect(storages[0]!.keyZeroShare).toBeUndefined();
      expect(storages[1]!.keyZeroShare).toBeGreaterThan(0);
    }
    expect(coarse.storages[1]!.error.relativeL2).toBeGreaterThan(
      2 * fine.storages[1]!.error.relativeL2,
    );
    expect(coarse.storages[1]!.bytesPerToken).toBeLessThan(fine.storages[1]!.bytesPerToken);
    expect(coarse.notes.join()).toContain('zeros are counted, not skipped');
  });

  it('is refused in pages', () => {
    const parsed = decodeParams.safeParse({
      layout: { type: 'paged' },
      storages: [{ name: 'a', key: { type: 'delta' } }],
    });
    expect(parsed.error?.issues[0]?.message).toContain('no differences');
  });
});
