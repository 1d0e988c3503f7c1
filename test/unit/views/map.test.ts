import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellMasses } from '../../../lib/attention/cell-masses';
import { cellStart } from '../../../lib/attention/map';
import type { MapBase, MapWindow } from '../../../lib/attention/types';
import { createRandom } from '../../../lib/random/random';
import { notebookSchema } from '../../../lib/spec/notebook';
import { parseNotebook } from '../../../lib/spec/validate';
import { differenceCsv } from '../../../lib/views/map/csv';
import {
  divergingColor,
  paintDifference,
  signedHalf,
  signedPosition,
} from '../../../lib/views/map/diverging';
import {
  canvasHeight,
  elementAt,
  mapFrame,
  pixelsPer,
  profileFrames,
} from '../../../lib/views/map/frame';
import {
  baseLayer,
  layerTop,
  type MapLayer,
  SIDE,
  subtractLayers,
  valueAt,
  windowLayer,
} from '../../../lib/views/map/layer';
import {
  baseProfiles,
  type MapProfiles,
  profileAt,
  profileTop,
  subtractProfiles,
  touchedCells,
  windowProfiles,
} from '../../../lib/views/map/profiles';
import { readingText } from '../../../lib/views/map/reading';
import { coversView } from '../../../lib/views/map/viewport';

type Mask = (query: number, key: number) => boolean;
const causal: Mask = (query, key) => key <= query;
const band: Mask = (query, key) => key <= query && query - key < 40;
const dense: Mask = () => true;
const holes: Mask = (query, key) => (query + key) % 2 === 0;

/** Probabilities whose visible part sums to 1 in each row, NaN where masked. */
function probabilities(queries: number, keys: number, isVisible: Mask, seed = 1): MapWindow {
  const random = createRandom(seed);
  const values = new Float32Array(queries * keys).fill(Number.NaN);
  for (let q = 0; q < queries; q++) {
    let sum = 0;
    const row = Array.from({ length: keys }, (_, k) => {
      const weight = isVisible(q, k) ? Math.exp(3 * random.uniform()) : 0;
      sum += weight;
      return weight;
    });
    row.forEach((weight, k) => {
      if (isVisible(q, k)) values[q * keys + k] = weight / sum;
    });
  }
  return { queryStart: 0, queryEnd: queries, keyStart: 0, keyEnd: keys, probabilities: values };
}

/** The definition of a base: maximum and mean over the unmasked elements of each cell. */
function reduce(window: MapWindow, rows: number, columns: number): MapBase {
  const queries = window.queryEnd;
  const keys = window.keyEnd;
  const max = new Float32Array(rows * columns).fill(Number.NaN);
  const mean = new Float32Array(rows * columns).fill(Number.NaN);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const seen: number[] = [];
      for (let q = cellStart(r, queries, rows); q < cellStart(r + 1, queries, rows); q++) {
        for (let k = cellStart(c, keys, columns); k < cellStart(c + 1, keys, columns); k++) {
          const p = window.probabilities[q * keys + k] as number;
          if (!Number.isNaN(p)) seen.push(p);
        }
      }
      if (seen.length === 0) continue;
      max[r * columns + c] = Math.max(...seen);
      mean[r * columns + c] = seen.reduce((a, b) => a + b, 0) / seen.length;
    }
  }
  return { rows, columns, queries, keys, max, mean };
}

const profilesOf = (
  base: MapBase,
  view = { queryStart: 0, queryEnd: base.queries, keyStart: 0, keyEnd: base.keys },
) => baseProfiles(base, cellMasses(base), touchedCells(base, view));
const total = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);

describe('profiles', () => {
  it('of a base of single elements are those of the window, whatever the mask', () => {
    for (const mask of [dense, causal, band, holes]) {
      const window = probabilities(48, 48, mask);
      const base = reduce(window, 48, 48);
      const exact = windowProfiles(window);
      const seen = profilesOf(base);
      expect(
        Math.max(...seen.keys.values.map((p, i) => Math.abs(p - (exact.keys.values[i] as number)))),
      ).toBeLessThan(1e-6);
      expect([...seen.queries.values]).toEqual([...exact.queries.values]);
    }
  });

  it.each([
    ['dense', dense, 1e-6],
    ['causal', causal, 1e-6],
  ] as const)('of %s cells give each key cell its exact mass', (_, mask, most) => {
    const window = probabilities(96, 96, mask);
    const exact = windowProfiles(window).keys.values;
    const { keys } = profilesOf(reduce(window, 24, 24));
    for (let c = 0; c < 24; c++) {
      const mean = total(exact.subarray(4 * c, 4 * c + 4)) / 4;
      expect(Math.abs((keys.values[c] as number) - mean)).toBeLessThan(most);
    }
  });

  it('never give more than the queries have, and nearly all of it, under any mask', () => {
    for (const mask of [dense, causal, band, holes]) {
      const base = reduce(probabilities(90, 90, mask), 20, 20);
      const { keys } = profilesOf(base);
      const counts = Array.from(
        { length: 20 },
        (_, c) => cellStart(c + 1, 90, 20) - cellStart(c, 90, 20),
      );
      const mass = total(keys.values.map((p, c) => p * (counts[c] as number)));
      expect(mass).toBeGreaterThan(0.97);
      expect(mass).toBeLessThan(1 + 1e-3);
    }
  });

  it('count a query that sees nothing as giving nothing', () => {
    const window = probabilities(32, 32, (query, key) => query >= 16 && key < 8);
    const base = reduce(window, 8, 8);
    expect(total(profilesOf(base).keys.values) * 4).toBeCloseTo(0.5, 5);
    expect([...profilesOf(base).queries.values.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
  });

  it('are of the cells in view, placed where they are drawn', () => {
    const window = probabilities(64, 96, dense);
    const base = reduce(window, 32, 32);
    const view = { queryStart: 10.5, queryEnd: 31, keyStart: 30, keyEnd: 61 };
    expect(touchedCells(base, view)).toEqual({
      rowStart: 5,
      rowEnd: 16,
      columnStart: 10,
      columnEnd: 21,
    });
    const { keys, queries } = profilesOf(base, view);
    expect([keys.from, keys.step, queries.from, queries.step]).toEqual([30, 3, 10, 2]);
    let expected = 0;
    for (let q = 10; q < 32; q++)
      for (let k = 30; k < 33; k++)
        expected += (window.probabilities[q * 96 + k] as number) / 22 / 3;
    expect(profileAt(keys, 31)).toBeCloseTo(expected, 6);
    const row = window.probabilities.subarray(10 * 96 + 30, 10 * 96 + 63);
    const next = window.probabilities.subarray(11 * 96 + 30, 11 * 96 + 63);
    expect(profileAt(queries, 11)).toBeCloseTo(Math.max(...row, ...next), 6);
    expect(profileAt(keys, 29)).toBeUndefined();
  });

  it('of a difference subtract, and their own scale holds both signs', () => {
    const a = windowProfiles(probabilities(16, 16, dense, 1));
    const b = windowProfiles(probabilities(16, 16, causal, 2));
    const { keys, isSigned } = subtractProfiles(a, b);
    expect(isSigned).toBe(true);
    expect(total(keys.values)).toBeCloseTo(0, 5);
    expect(keys.values[0]).toBeLessThan(0);
    expect(keys.values[15]).toBeGreaterThan(0);
    expect(profileTop(keys, 'log')).toBe(1);
    expect(profileTop(keys, 'linear')).toBe(Math.max(...keys.values.map(Math.abs)));
  });

  it('of a 512 x 512 base are quick enough for a frame', () => {
    const size = 512;
    const mean = new Float32Array(size * size).fill(1 / 2048);
    const base = { rows: size, columns: size, queries: 2048, keys: 2048, max: mean, mean };
    const masses = cellMasses(base);
    const range = { rowStart: 0, rowEnd: size, columnStart: 0, columnEnd: size };
    for (let i = 0; i < 5; i++) baseProfiles(base, masses, range);
    const start = performance.now();
    for (let i = 0; i < 20; i++) baseProfiles(base, masses, range);
    const milliseconds = (performance.now() - start) / 20;
    console.log(`profiles of 512 x 512 cells: ${milliseconds.toFixed(2)} ms`);
    expect(milliseconds).toBeLessThan(16);
  });
});

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
    expect([...one.values()].sort((a, b) => a - b)).toEqual([48, 96]);
    expect([...both.keys()].every((color) => one.has(color))).toBe(true);
    expect([...neither.keys()].sort()).toEqual(['201,196,186,255', '231,228,222,255']);
  });
});

describe('the frame', () => {
  const view = { queryStart: 3, queryEnd: 103, keyStart: 50, keyEnd: 250 };

  it('maps pixels to elements and back, with and without profiles', () => {
    fc.assert(
      fc.property(fc.integer({ min: 240, max: 640 }), fc.boolean(), (width, hasProfiles) => {
        const frame = mapFrame(width, 1024, 1024, hasProfiles);
        const { perKey, perQuery } = pixelsPer(frame, view);
        const { query, key } = elementAt(
          frame.left + 7 * perKey,
          frame.top + 9 * perQuery,
          frame,
          view,
        );
        expect(key).toBeCloseTo(57, 9);
        expect(query).toBeCloseTo(12, 9);
        expect(frame.right).toBeLessThanOrEqual(width);
        const strips = profileFrames(frame);
        expect([strips.keys.left, strips.keys.right]).toEqual([frame.left, frame.right]);
        expect([strips.queries.top, strips.queries.bottom]).toEqual([frame.top, frame.bottom]);
        if (!hasProfiles) return;
        expect(strips.queries.right).toBe(width);
        expect(strips.keys.bottom).toBe(canvasHeight(frame, true));
      }),
    );
  });

  it('knows when a rectangle covers a view', () => {
    const rect = { queryStart: 3, queryEnd: 103, keyStart: 50, keyEnd: 250 };
    expect(coversView(rect, view)).toBe(true);
    expect(coversView(rect, { ...view, keyEnd: 250.1 })).toBe(false);
    expect(coversView(rect, { ...view, queryStart: 2.9 })).toBe(false);
  });
});

describe('the reading', () => {
  const at = { query: 3, key: 5 };
  const names = ['dense', 'sparse'] as const;
  const profiles: MapProfiles = {
    keys: { from: 4, step: 2, values: new Float32Array([0.25, 0.5]) },
    queries: { from: 0, step: 1, values: new Float32Array([0, 0, 0, 0.125]) },
    isSigned: false,
  };

  it.each([
    [0.5, undefined, 'query 3, key 5: 0.5000'],
    [Number.NaN, undefined, 'query 3, key 5: masked'],
    [0.5, 0.25, 'query 3, key 5: 0.5000 in dense, 0.2500 in sparse, difference 0.2500'],
    [0.5, Number.NaN, 'query 3, key 5: 0.5000 in dense, masked in sparse, difference 0.5000'],
    [Number.NaN, 0.25, 'query 3, key 5: masked in dense, 0.2500 in sparse, difference -0.2500'],
    [Number.NaN, Number.NaN, 'query 3, key 5: masked in both'],
  ])('says %s and %s', (first, second, text) => {
    expect(readingText({ ...at, first, second }, names, undefined)).toBe(text);
  });

  it('adds the profiles in view, and nothing outside of it', () => {
    expect(readingText({ ...at, first: 0.5, second: undefined }, names, profiles)).toBe(
      "query 3, key 5: 0.5000; in view, key 5 receives 0.2500 on average, and query 3's largest is 0.1250",
    );
    expect(readingText({ query: 9, key: 5, first: 0.5, second: undefined }, names, profiles)).toBe(
      'query 9, key 5: 0.5000',
    );
  });
});

describe('the reading of a difference', () => {
  it('says more or less, never more by a negative number', () => {
    const profiles: MapProfiles = {
      keys: { from: 0, step: 8, values: new Float32Array([-0.25]) },
      queries: { from: 0, step: 8, values: new Float32Array([0.5]) },
      isSigned: true,
    };
    expect(readingText({ query: 3, key: 5, first: 0, second: 0 }, ['a', 'b'], profiles)).toContain(
      "key 5 receives 0.2500 less on average, and query 3's largest is 0.5000 more",
    );
  });
});

describe('a map of two inputs', () => {
  const attention = (id: string, queryHeads: number, batch = 1) => ({
    id,
    kind: 'attention',
    params: { shape: { batch, queryHeads, kvHeads: 2, queries: 64, keys: 64, headSize: 64 } },
  });
  const parse = (inputs: readonly string[], params: object) =>
    parseNotebook({
      format: 'headroom/notebook',
      version: 1,
      cells: [
        attention('a', 8, 2),
        attention('b', 4),
        attention('c', 4),
        { id: 'm', kind: 'map', inputs, params },
      ],
    });
  const messages = (result: ReturnType<typeof parse>) =>
    result.ok ? [] : result.issues.map(({ message }) => message);

  it('shows the first unless it says otherwise', () => {
    const old = notebookSchema.parse({ cells: [{ id: 'm', kind: 'map', inputs: ['a'] }] }).cells[0];
    expect(old?.kind === 'map' && old.params.show).toBe('first');
    expect(messages(parse(['a', 'b'], { show: 'difference' }))).toEqual([]);
  });

  it('takes no third, and nothing but the three', () => {
    expect(messages(parse(['a', 'b', 'c'], {}))).toEqual([
      'invalid inputs: 3 given (expected 1..2 of kind attention or compose or recurrent or decode or cache)',
    ]);
    expect(messages(parse(['a'], { show: 'third' }))).toHaveLength(1);
  });

  it('asks for a head and a batch entry of both', () => {
    expect(messages(parse(['a'], { head: 5, batch: 1 }))).toEqual([]);
    expect(messages(parse(['a', 'b'], { head: 5, batch: 1 }))).toEqual([
      'invalid head: 5 (expected 0..3 of "b")',
      'invalid batch: 1 (expected 0..0 of "b")',
    ]);
    expect(messages(parse(['b', 'a'], { head: 9 }))).toEqual([
      'invalid head: 9 (expected 0..3 of "b")',
      'invalid head: 9 (expected 0..7 of "a")',
    ]);
  });
});
