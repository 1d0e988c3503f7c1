import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  chooseSplit,
  coResidentSeconds,
  DEFAULT_CURVES,
  effectiveShares,
  exceedsHysteresis,
  saturatingSpeed,
} from '../../../lib/serving/cost/partition';

const prompts = { arithmeticSeconds: 0.2, memorySeconds: 0.02 };
const decodes = { arithmeticSeconds: 0.002, memorySeconds: 0.02 };
const idle = { arithmeticSeconds: 0, memorySeconds: 0 };
const share = fc.double({ min: 0.01, max: 1, noNaN: true });

describe('sharing the multiprocessors', () => {
  test('speed is linear up to the saturation', () => {
    expect(saturatingSpeed(0.2, 0.4)).toBe(0.5);
    expect(saturatingSpeed(0.4, 0.4)).toBe(1);
    expect(saturatingSpeed(0.9, 0.4)).toBe(1);
    expect(() => saturatingSpeed(0, 0.4)).toThrow('invalid SM share: 0 (expected 0..1)');
    expect(() => effectiveShares({ prefillShare: 1.2, decodeShare: 1 })).toThrow(
      /prefillShare: 1.2/,
    );
  });

  test('shares above 1 together are sliced in proportion', () => {
    const sliced = effectiveShares({ prefillShare: 0.8, decodeShare: 1 });
    expect(sliced.prefillShare).toBeCloseTo(0.8 / 1.8, 12);
    expect(sliced.prefillShare + sliced.decodeShare).toBeCloseTo(1, 12);
    expect(effectiveShares({ prefillShare: 0.5, decodeShare: 0.4 })).toEqual({
      prefillShare: 0.5,
      decodeShare: 0.4,
    });
  });

  test('a phase alone on everything takes its roofline, and contention comes with company', () => {
    const whole = { prefillShare: 1, decodeShare: 1 };
    expect(coResidentSeconds(prompts, idle, whole)).toEqual({
      prefillSeconds: 0.2,
      decodeSeconds: 0,
    });
    const half = coResidentSeconds(prompts, decodes, { prefillShare: 0.5, decodeShare: 0.5 });
    expect(half.prefillSeconds).toBeCloseTo(0.4, 12);
    expect(half.decodeSeconds).toBeCloseTo(0.02 / DEFAULT_CURVES.contention, 12);
  });

  test('more of the multiprocessors never makes a phase slower', () => {
    fc.assert(
      fc.property(share, share, (a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        const at = (prefillShare: number) =>
          coResidentSeconds(prompts, decodes, { prefillShare, decodeShare: 0.01 });
        fc.pre(high <= 0.99);
        expect(at(high).prefillSeconds).toBeLessThanOrEqual(at(low).prefillSeconds * (1 + 1e-12));
      }),
    );
  });

  test('the search favours one phase and bounds the other', () => {
    const forPrompts = chooseSplit(prompts, decodes, { favours: 'prefill', slack: 1.05 });
    // Decodes saturate at 45 %: all above it is the prompts'.
    expect(forPrompts.prefillShare).toBeCloseTo(0.55, 12);
    const loose = chooseSplit(prompts, decodes, { favours: 'prefill', slack: 2 });
    expect(loose.prefillShare).toBeGreaterThan(forPrompts.prefillShare);
    const forDecodes = chooseSplit(prompts, decodes, { favours: 'decode', slack: 1.2 });
    expect(forDecodes.prefillShare).toBeGreaterThanOrEqual(0.75);
    expect(exceedsHysteresis(forPrompts, loose, 0.05)).toBe(true);
    expect(exceedsHysteresis(forPrompts, forPrompts, 0)).toBe(false);
    expect(() => chooseSplit(prompts, decodes, { favours: 'decode', slack: 0.5 })).toThrow(
      'invalid slack: 0.5',
    );
  });
});
