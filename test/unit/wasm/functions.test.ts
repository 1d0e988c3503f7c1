import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../lib/random/random';
import { instantiateKernel } from '../../../lib/wasm/module';

const newMemory = () => new WebAssembly.Memory({ initial: 1, maximum: 65_536 });

describe('exponential', () => {
  const memory = newMemory();
  const kernel = instantiateKernel(memory);
  const exponentials = (values: readonly number[]) => {
    const view = new Float32Array(memory.buffer, 0, Math.ceil(values.length / 4) * 4);
    view.set(values);
    kernel.exponentials(0, view.length);
    return Array.from(view.subarray(0, values.length));
  };

  it('has a relative error of at most 2e-7 over [-87, 0]', () => {
    const random = createRandom(1);
    const chunk = 8192;
    let worst = 0;
    for (let i = 0; i < 1_000_000; i += chunk) {
      const x = Array.from({ length: chunk }, (_, j) =>
        // Even steps, and random magnitudes down to 1e-9 between them.
        Math.fround(j % 2 ? (-87 * (i + j)) / 1_000_000 : -87 * 10 ** (-11 * random.uniform())),
      ).map((value) => Math.max(value, -87));
      exponentials(x).forEach((actual, j) => {
        worst = Math.max(worst, Math.abs(actual / Math.exp(x[j] as number) - 1));
      });
    }
    expect(worst).toBeLessThanOrEqual(2e-7);
    expect(worst).toBeGreaterThan(1e-9);
  });

  it('is 1 at 0, 0 below -87, and keeps NaN', () => {
    const below = Math.fround(-87.00001);
    const x = [0, -0, -87, below, -88, -1e3, -3e38, -Infinity];
    expect(exponentials(x)).toEqual([1, 1, expect.closeTo(1.6458e-38, 41), 0, 0, 0, 0, 0]);
    expect(exponentials([Number.NaN])).toEqual([Number.NaN]);
  });
});

describe('logarithm', () => {
  it('has a relative error of at most 3e-7 from 1 to 65536 and below 1, and keeps NaN', () => {
    const memory = newMemory();
    const kernel = instantiateKernel(memory);
    const random = createRandom(2);
    const x = Float32Array.from({ length: 16_384 }, () => 2 ** (random.uniform() * 20 - 4));
    x.set([1, 2, 0.5, 65_536]);
    const view = new Float32Array(memory.buffer, 0, x.length);
    view.set(x);
    kernel.logarithms(0, view.length);
    let worst = 0;
    for (const [i, each] of x.entries()) {
      const expected = Math.log(each);
      const actual = view[i] as number;
      if (expected === 0) expect(actual).toBe(0);
      else worst = Math.max(worst, Math.abs(actual / expected - 1));
    }
    expect(worst).toBeLessThanOrEqual(3e-7);
    view.fill(Number.NaN, 0, 4);
    kernel.logarithms(0, 4);
    expect(view[0]).toBeNaN();
  });
});
