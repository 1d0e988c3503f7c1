import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differenceCsv } from '../../../lib/views/map/csv';
import {
  divergingColor,
  paintDifference,
  signedHalf,
  signedPosition,
} from '../../../lib/views/map/diverging';
import {
  baseLayer,
  layerTop,
  type MapLayer,
  SIDE,
  subtractLayers,
  valueAt,
  windowLayer,
} from '../../../lib/views/map/layer';
import { causal, dense, probabilities, reduce } from './map-cases';

describe('a difference', () => {
  const first = windowLayer(probabilities(24, 24, dense, 3));
  const second = windowLayer(probabilities(24, 24, causal, 4));
  const difference = subtractLayers(first, second);

  it('counts what one operand masks as 0 and says so', () => {
    for (let i = 0; i < difference.values.length; i++) {
      const isCausal = i % 24 <= Math.floor(i / 24);
      expect(difference.sides?.[i]).toBe(isCausal ? SIDE.both : SIDE.firstOnly);
      const b = isCausal ? (second.values[i] as number) : 0;
      expect(difference.values[i]).toBeCloseTo((first.values[i] as number) - b, 6);
    }
    const back = subtractLayers(second, first);
    expect(back.sides?.[1]).toBe(SIDE.secondOnly);
    expect([...back.values].every((value, i) => value === -(difference.values[i] as number))).toBe(
      true,
    );
  });

  it('of a map and itself is 0 where seen and masked elsewhere', () => {
    const zero = subtractLayers(second, second);
    for (let i = 0; i < zero.values.length; i++) {
      if (Number.isNaN(second.values[i])) {
        expect(zero.values[i]).toBeNaN();
        expect(zero.sides?.[i]).toBe(SIDE.neither);
      } else expect(zero.values[i]).toBe(0);
    }
    expect(layerTop(zero, 'mean')).toBe(1);
  });

  it('has a scale of both signs', () => {
    expect(layerTop(difference, 'max')).toBe(1);
    const values = [...difference.values].map(Math.abs);
    expect(layerTop(difference, 'mean')).toBeCloseTo(Math.max(...values), 6);
  });

  it('refuses grids that differ', () => {
    const other = windowLayer(probabilities(24, 12, dense));
    expect(() => subtractLayers(first, other)).toThrow(
      'invalid difference: 24 x 24 cells minus 24 x 12 (expected the same grid)',
    );
  });

  it('is looked up by element, and only inside', () => {
    const rect = { queryStart: 4, queryEnd: 28, keyStart: 8, keyEnd: 32 };
    const exact = { rect, layer: difference };
    expect(valueAt(exact, 5, 8)).toBe(difference.values[24]);
    expect(valueAt(exact, 3, 8)).toBeUndefined();
    expect(valueAt(exact, 5, 32)).toBeUndefined();
    expect(valueAt(undefined, 5, 8)).toBeUndefined();
  });

  it('takes max or mean of a base as asked', () => {
    const base = reduce(probabilities(24, 24, causal), 12, 12);
    expect(baseLayer(base, 'max').values).toBe(base.max);
    expect(baseLayer(base, 'mean').values).toBe(base.mean);
  });

  it('is exported with both values', () => {
    const a = probabilities(2, 2, dense);
    const b = probabilities(2, 2, causal);
    const [head, ...rows] = differenceCsv(a, b).trim().split('\r\n');
    expect(head).toBe('query,key,probability_first,probability_second,difference');
    expect(rows).toHaveLength(4);
    const [query, key, p, q, minus] = (rows[1] as string).split(',');
    expect([query, key, q]).toEqual(['0', '1', '']);
    expect(Number(minus)).toBe(Number(p));
    expect((rows[2] as string).split(',').map(Number)[4]).toBeCloseTo(
      (a.probabilities[2] as number) - (b.probabilities[2] as number),
      6,
    );
  });
});

describe('the diverging scale', () => {
  const papers = { light: [255, 255, 255], dark: [28, 31, 35] } as const;
  const linear = (channel: number) => {
    const x = channel / 255;
    return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
  };
  const luminance = ([r, g, b]: readonly [number, number, number]) =>
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  /** As the web content accessibility guidelines define it. */
  const contrast = (a: number, b: number) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);

  it.each(['light', 'dark'] as const)(
    'stands out of %s paper the more the larger it is',
    (theme) => {
      const paper = papers[theme];
      for (const sign of [1, -1]) {
        const steps = [0.25, 0.5, 0.75, 1].map((x) => luminance(divergingColor(sign * x, paper)));
        const middle = luminance(divergingColor(0, paper));
        const distances = steps.map((step) => Math.abs(step - middle));
        expect(distances).toEqual([...distances].sort((a, b) => a - b));
        expect(contrast(steps[3] as number, middle)).toBeGreaterThan(3);
      }
    },
  );

  it('has signs whose blue and red order is opposite, which all colour vision tells apart', () => {
    for (const paper of Object.values(papers)) {
      for (const x of [0.3, 0.6, 1]) {
        const [red, , blue] = divergingColor(x, paper);
        expect(red).toBeGreaterThan(blue);
        const [r, , b] = divergingColor(-x, paper);
        expect(b).toBeGreaterThan(r);
      }
    }
  });

  it('is odd, rising and 0 in the middle on both scales', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom('log' as const, 'linear' as const),
        (a, b, scale) => {
          const [low, high] = a < b ? [a, b] : [b, a];
          expect(signedPosition(-a, scale, 1)).toBeCloseTo(-signedPosition(a, scale, 1), 12);
          expect(signedPosition(high, scale, 1)).toBeGreaterThanOrEqual(
            signedPosition(low, scale, 1),
          );
          expect(Math.abs(signedPosition(a, scale, 1))).toBeLessThanOrEqual(1);
        },
      ),
    );
    expect(signedPosition(0, 'log', 1)).toBe(0);
  });

  it('leaves most of a dense map in the lower half of a log scale, at any top', () => {
    for (const top of [1e-3, 1, 40]) {
      expect(signedPosition(top, 'log', top)).toBeCloseTo(1, 12);
      expect(signedPosition(-top / 100, 'log', top)).toBeGreaterThan(-0.3);
      expect(signedPosition(top / 100, 'log', top)).toBeGreaterThan(0.15);
      for (const scale of ['log', 'linear'] as const) {
        expect(signedPosition(-signedHalf(scale, top), scale, top)).toBeCloseTo(-0.5, 12);
      }
    }
  });

  it('paints masked in both, masked in one and seen in both unlike each other', () => {
    const size = 12;
    const side = (which: number, value: number): MapLayer => ({
      rows: size,
      columns: size,
      values: new Float32Array(size * size).fill(value),
      sides: new Uint8Array(size * size).fill(which),
    });
    const colors = {
      paper: papers.light,
      ink: [0, 0, 0],
      masked: [231, 228, 222],
      maskedLine: [201, 196, 186],
    } as const;
    const paint = (layer: MapLayer) => {
      const pixels = new Uint8ClampedArray(4 * size * size);
      paintDifference(pixels, layer, 'linear', 1, colors);
      const seen = new Map<string, number>();
      for (let i = 0; i < pixels.length; i += 4) {
        const color = pixels.subarray(i, i + 4).join();
        seen.set(color, (seen.get(color) ?? 0) + 1);
      }
      return seen;
    };
    const both = paint(side(SIDE.both, 0.5));
    const one = paint(side(SIDE.firstOnly, 0.5));
    const neither = paint(side(SIDE.neither, Number.NaN));
    expect(both.size).toBe(1);
    expect(one.size).toBe(2);
    expect([...one.values()].sort((a, b) => a - b)).toEqual([24, 120]);
    expect([...both.keys()].every((color) => one.has(color))).toBe(true);
    expect([...neither.keys()].sort()).toEqual(['201,196,186,255', '231,228,222,255']);
  });
});
