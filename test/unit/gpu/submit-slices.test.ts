import fc from 'fast-check';
import { expect, test } from 'vitest';
import { submitSlices } from '../../../lib/gpu/submit-slices';

const blocks = fc.array(fc.double({ min: 0, max: 0.02, noNaN: true }), {
  minLength: 1,
  maxLength: 40,
});

test('slices cover every block of every head exactly once', () => {
  fc.assert(
    fc.property(blocks, fc.integer({ min: 1, max: 20 }), (seconds, heads) => {
      const seen = new Map<string, number>();
      for (const slice of submitSlices(seconds, heads, 0.008, 4)) {
        for (let b = 0; b < slice.blocks; b++) {
          for (let h = 0; h < slice.heads; h++) {
            const key = `${slice.blockStart + b},${slice.headStart + h}`;
            seen.set(key, (seen.get(key) ?? 0) + 1);
          }
        }
      }
      expect(seen.size).toBe(seconds.length * heads);
      expect(Math.max(...seen.values())).toBe(1);
    }),
  );
});

test('a slice is longer than the target only where fewer workgroups would not do', () => {
  fc.assert(
    fc.property(blocks, fc.integer({ min: 1, max: 20 }), (seconds, heads) => {
      for (const slice of submitSlices(seconds, heads, 0.008, 1)) {
        const isSmallest = slice.blocks * slice.heads === 1;
        expect(isSmallest || slice.seconds <= 0.008 + 1e-9).toBe(true);
      }
    }),
  );
});
