import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attentionBytes, placeUnderRoof, raisedRoof } from '../../../lib/attention/roofline';
import type { AdapterRoof } from '../../../lib/attention/types';
import { probeThread } from '../../../lib/wasm/roof';

const roof: AdapterRoof = {
  matmulGigaflopsPerSecond: 8,
  copyGigabytesPerSecond: 2,
  clock: 'performance.now',
  measuredSeconds: 0.1,
};

describe('roofline', () => {
  test('bytes are Q and O once per query head, K and V once per KV head', () => {
    const shape = { batch: 1, queryHeads: 8, kvHeads: 2, queries: 1, keys: 1000, headSize: 64 };
    expect(attentionBytes(shape, 1)).toBe(4 * 64 * (2 * 8 + 2 * 2 * 1000));
    expect(attentionBytes(shape, 0.25)).toBe(4 * 64 * (2 * 8 + 2 * 2 * 250));
  });

  test('bandwidth binds left of the ridge, compute right of it', () => {
    const left = placeUnderRoof(roof, { flops: 100, gigaflopsPerSecond: 1 }, 100);
    expect(left).toEqual({
      flopsPerByte: 1,
      bound: 'bandwidth',
      attainableGigaflopsPerSecond: 2,
      percent: 50,
    });
    const right = placeUnderRoof(roof, { flops: 1000, gigaflopsPerSecond: 1 }, 100);
    expect(right).toMatchObject({ bound: 'compute', percent: 12.5 });
  });

  test('a run above its roof lifts it to itself, and never another', () => {
    const positive = fc.double({ min: 1e-3, max: 1e3, noNaN: true });
    fc.assert(
      fc.property(positive, positive, (gigaflopsPerSecond, flopsPerByte) => {
        const timing = { flops: flopsPerByte * 1e6, gigaflopsPerSecond };
        const before = placeUnderRoof(roof, timing, 1e6);
        const raised = raisedRoof(roof, timing, 1e6);
        const after = placeUnderRoof(raised, timing, 1e6);
        expect(after.percent).toBeLessThanOrEqual(100 + 1e-6);
        expect(raised.matmulGigaflopsPerSecond).toBeGreaterThanOrEqual(8);
        expect(raised.copyGigabytesPerSecond).toBeGreaterThanOrEqual(2);
        if (before.percent > 100) expect(after.percent).toBeCloseTo(100, 6);
      }),
    );
  });

  test('a probe of one thread reaches something', () => {
    const { gigaflopsPerSecond, gigabytesPerSecond } = probeThread();
    expect(gigaflopsPerSecond).toBeGreaterThan(0.1);
    expect(gigabytesPerSecond).toBeGreaterThan(0.1);
  });
});
