import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { notebookSchema } from '../../../lib/spec/notebook';
import { parseNotebook } from '../../../lib/spec/validate';
import {
  canvasHeight,
  elementAt,
  mapFrame,
  pixelsPer,
  profileFrames,
} from '../../../lib/views/map/frame';
import type { MapProfiles } from '../../../lib/views/map/profiles';
import { readingText } from '../../../lib/views/map/reading';
import { coversView } from '../../../lib/views/map/viewport';

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
