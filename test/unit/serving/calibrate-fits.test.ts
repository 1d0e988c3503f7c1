import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../lib/random/random';
import { fitNonNegative } from '../../../lib/serving/calibrate/least-squares';
import { nelderMead } from '../../../lib/serving/calibrate/nelder-mead';
import { heldOutRows, summarizeResiduals } from '../../../lib/serving/calibrate/residuals';
import { fitTwoLines } from '../../../lib/serving/calibrate/two-lines';
import { operatorMicroseconds } from '../../../lib/serving/cost/profile';

const cost = fc.double({ min: 1, max: 50, noNaN: true });

describe('non-negative least squares of relative errors', () => {
  it('recovers the coefficients of exact data over six decades of size', () => {
    fc.assert(
      fc.property(fc.array(cost, { minLength: 2, maxLength: 6 }), fc.integer(), (costs, seed) => {
        const random = createRandom(seed >>> 0);
        // Each takes part in the sum: what is lost in rounding cannot be found again.
        const truth = costs.map((each, c) => each / 10 ** c);
        const columns = costs.map((_, c) =>
          Array.from({ length: 40 }, () => (c === 0 ? 1 : random.uniform() * 10 ** c)),
        );
        const y = Array.from({ length: 40 }, (_, i) =>
          columns.reduce((sum, column, c) => sum + (truth[c] as number) * (column[i] as number), 0),
        );
        fitNonNegative(columns, y).forEach((found, c) => {
          expect(found / (truth[c] as number)).toBeCloseTo(1, 3);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('is no worse than any non-negative neighbour where the free optimum is negative', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = createRandom(seed >>> 0);
        const columns = Array.from({ length: 3 }, () =>
          Array.from({ length: 12 }, () => random.uniform()),
        );
        const y = Array.from({ length: 12 }, () => 0.1 + random.uniform());
        const squares = (at: readonly number[]): number =>
          y.reduce((sum, value, i) => {
            const said = at.reduce((all, each, c) => all + each * (columns[c]?.[i] ?? 0), 0);
            return sum + (said / value - 1) ** 2;
          }, 0);
        const found = fitNonNegative(columns, y);
        expect(Math.min(...found)).toBeGreaterThanOrEqual(0);
        const least = squares(found);
        for (const step of [0.1, 0.01, -0.01, -0.1])
          found.forEach((_, c) => {
            const moved = found.map((each, j) => (j === c ? Math.max(0, each + step) : each));
            expect(squares(moved)).toBeGreaterThanOrEqual(least - 1e-9);
          });
      }),
      { numRuns: 60 },
    );
  });

  it('leaves out a column of zeros and refuses more columns than it can try', () => {
    const columns = [
      [1, 1, 1],
      [0, 0, 0],
    ];
    const [constant, nothing] = fitNonNegative(columns, [5, 5, 5]);
    expect(constant).toBeCloseTo(5, 12);
    expect(nothing).toBe(0);
    expect(() => fitNonNegative(new Array(11).fill([1]), [1])).toThrow('invalid columns: 11');
  });
});

describe('the larger of two lines', () => {
  const sizes = [1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048];

  it('says again what memory and arithmetic took', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 20, max: 100, noNaN: true }),
        fc.double({ min: 0.3, max: 1, noNaN: true }),
        (memory, perToken) => {
          const times = sizes.map((size) => Math.max(memory, 5 + perToken * size));
          const found = fitTwoLines(sizes, times);
          sizes.forEach((size, i) => {
            const error = operatorMicroseconds(found, size) / (times[i] as number) - 1;
            expect(Math.abs(error)).toBeLessThan(0.02);
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('stays one line where there is one, in any order of samples', () => {
    const shuffled = [512, 1, 64, 8, 1024, 256, 16];
    const found = fitTwoLines(
      shuffled,
      shuffled.map((size) => 3 + 0.5 * size),
    );
    expect(found.baseMicroseconds).toBeCloseTo(3, 6);
    expect(found.perTokenMicroseconds).toBeCloseTo(0.5, 8);
    expect(found.latePerTokenMicroseconds).toBe(0);
  });
});

it('a simplex finds the minimum of a bowl and says how often it looked', () => {
  const search = nelderMead(([x = 0, y = 0]) => (x - 3) ** 2 + 10 * (y + 1) ** 2, [0, 0], 0.5, 200);
  let step = search.next();
  while (step.done !== true) step = search.next();
  expect(step.value.at[0]).toBeCloseTo(3, 2);
  expect(step.value.at[1]).toBeCloseTo(-1, 2);
  expect(step.value.evaluations).toBeLessThanOrEqual(203);
});

it('a fifth is held out, always the same, and the errors are of it alone', () => {
  const held = heldOutRows(100, 'qkv');
  expect(held.reduce((sum, each) => sum + each, 0)).toBe(20);
  expect(heldOutRows(100, 'qkv')).toEqual(held);
  expect(heldOutRows(100, 'down')).not.toEqual(held);
  const rows = [
    { part: 'x', measured: 10, predicted: 11, isHeldOut: true },
    { part: 'x', measured: 10, predicted: 20, isHeldOut: false },
  ];
  expect(summarizeResiduals('x', rows)).toMatchObject({ heldOut: 1, medianPct: 10 });
});
