import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fastExponential } from '../../../lib/attention/weights/fast-exponential';

describe('the exponential of maps', () => {
  it('is exp to twelve digits at and below 0', () => {
    expect(fastExponential(0)).toBe(1);
    expect(fastExponential(-1e-300)).toBe(1);
    expect(fastExponential(-709)).toBe(0);
    expect(fastExponential(-Infinity)).toBe(0);
    fc.assert(
      fc.property(fc.double({ min: -708, max: 0, noNaN: true }), (x) => {
        const exact = Math.exp(x);
        expect(Math.abs(fastExponential(x) - exact)).toBeLessThanOrEqual(1e-12 * exact);
      }),
      { numRuns: 2000 },
    );
  });
});
