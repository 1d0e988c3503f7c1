import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { windowProfiles } from '../../../lib/views/map/profiles';
import { coversView, windowRect } from '../../../lib/views/map/viewport';

const view = (queryStart: number, keyStart: number, size: number) => ({
  queryStart,
  queryEnd: queryStart + size,
  keyStart,
  keyEnd: keyStart + size,
});

it('a window covers its view, stays in the map and below the limit', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 400, noNaN: true }),
      fc.double({ min: 0, max: 400, noNaN: true }),
      fc.double({ min: 8, max: 500, noNaN: true }),
      (query, key, size) => {
        const shown = view(query, key, size);
        const rect = windowRect(shown, 900, 900, 512);
        expect(coversView(rect, shown)).toBe(true);
        expect(rect.queryEnd - rect.queryStart).toBeLessThanOrEqual(512);
        expect(rect.keyEnd).toBeLessThanOrEqual(900);
      },
    ),
  );
});

it('panning by a few elements asks for the same window', () => {
  const rect = windowRect(view(70, 70, 100), 900, 900, 512);
  for (let by = 0; by < 16; by += 0.7)
    expect(windowRect(view(70 + by, 70 + by, 100), 900, 900, 512)).toEqual(rect);
});

it('profiles of a part are those of the window of that part', () => {
  const whole = { queryStart: 2, queryEnd: 6, keyStart: 10, keyEnd: 15 };
  const probabilities = Float32Array.from({ length: 20 }, (_, i) => (i % 7 === 0 ? Number.NaN : i));
  const part = { queryStart: 3, queryEnd: 5, keyStart: 11, keyEnd: 14 };
  const cut = Float32Array.of(6, 7, 8, 11, 12, 13).map((i) => probabilities[i] as number);
  expect(windowProfiles({ ...whole, probabilities }, part)).toEqual(
    windowProfiles({ ...part, probabilities: cut }),
  );
});
