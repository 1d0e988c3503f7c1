import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byteLength, bytesByRole } from '../../../lib/cache/represent/matrix';
import {
  decodeStream,
  encodeStream,
  entropyBits,
} from '../../../lib/cache/represent/transfer/adaptive-model';
import {
  binsByLayer,
  deltaStream,
  quantiseRows,
} from '../../../lib/cache/represent/transfer/delta-stream';
import {
  createDecoder,
  createEncoder,
  MOST_COUNTS,
} from '../../../lib/cache/represent/transfer/range-coder';
import { createRandom } from '../../../lib/random/random';
import { largestDifference, matrixFrom, normalRows } from './rows';

describe('the arithmetic coder', () => {
  test('gives back every stream of every alphabet exactly', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }).chain((alphabet) =>
          fc.record({
            alphabet: fc.constant(alphabet),
            contexts: fc.integer({ min: 1, max: 5 }),
            symbols: fc.array(fc.integer({ min: 0, max: alphabet - 1 }), { maxLength: 400 }),
          }),
        ),
        ({ alphabet, contexts, symbols }) => {
          const shape = {
            length: symbols.length,
            contexts,
            symbolsOf: () => alphabet,
            contextOf: (i: number) => i % contexts,
          };
          expect([...decodeStream(encodeStream(symbols, shape), shape)]).toEqual(symbols);
        },
      ),
    );
  });

  test('gives back long streams that halve their counts, and very uneven ones', () => {
    const random = createRandom(3);
    const symbols = Array.from({ length: 60_000 }, () =>
      random.uniform() < 0.999 ? 7 : random.integer(0, 30),
    );
    const shape = { length: symbols.length, contexts: 1, symbolsOf: () => 31, contextOf: () => 0 };
    const stream = encodeStream(symbols, shape);
    expect([...decodeStream(stream, shape)]).toEqual(symbols);
    expect(stream.length).toBeLessThan(60_000 / 8 / 20);
  });

  test('codes extreme shares: one count of the largest total, at either end', () => {
    const shares = [
      { low: 0, high: 1, total: MOST_COUNTS },
      { low: MOST_COUNTS - 1, high: MOST_COUNTS, total: MOST_COUNTS },
    ];
    const picks = Array.from({ length: 200 }, (_, i) => shares[(i * 7) % 3 === 0 ? 0 : 1]!);
    const encoder = createEncoder();
    for (const share of picks) encoder.put(share);
    const decoder = createDecoder(encoder.finish());
    for (const share of picks) {
      const target = decoder.peek(share.total);
      expect(target).toBeGreaterThanOrEqual(share.low);
      expect(target).toBeLessThan(share.high);
      decoder.take(share);
    }
  });

  test('comes within 3 % of the entropy of a long stream', () => {
    const random = createRandom(8);
    const symbols = Array.from({ length: 30_000 }, () =>
      Math.max(0, Math.min(14, Math.round(7 + 2 * random.normal()))),
    );
    const shape = { length: symbols.length, contexts: 1, symbolsOf: () => 15, contextOf: () => 0 };
    const bits = (8 * encodeStream(symbols, shape).length) / symbols.length;
    const ideal = entropyBits(symbols, () => 0);
    expect(bits).toBeGreaterThanOrEqual(ideal * 0.999);
    expect(bits).toBeLessThan(ideal * 1.03);
  });

  test('entropy by hand: a fair bit is 1, known contexts leave nothing', () => {
    expect(entropyBits([0, 1, 0, 1], () => 0)).toBe(1);
    expect(entropyBits([0, 1, 0, 1], (i) => i % 2)).toBe(0);
    expect(entropyBits([0, 0, 0, 1], () => 0)).toBeCloseTo(0.811278, 6);
  });

  test('names a symbol outside its alphabet', () => {
    const shape = { length: 1, contexts: 1, symbolsOf: () => 4, contextOf: () => 0 };
    expect(() => encodeStream([4], shape)).toThrow('invalid symbol: 4 at 0 (expected 0..3)');
  });
});

describe('rows as a stream (CacheGen)', () => {
  test('8 bins by hand: scale 6 / 3, codes of 6, -2, 1', () => {
    const { symbols, scales } = quantiseRows(matrixFrom([[6, -2, 1]]), { bins: 8, anchorRows: 0 });
    // Math.round takes halves up: 1 / 2 becomes 1.
    expect([...symbols]).toEqual([3 + 3, -1 + 3, 1 + 3]);
    expect(scales[0]).toBe(0x4000);
  });

  test('every value is within half a step of its row, anchors and deltas alike', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        fc.integer({ min: 0, max: 12 }),
        fc.constantFrom(8, 16, 32),
        (seed, anchorRows, bins) => {
          const matrix = normalRows(23, 8, seed);
          const decoded = deltaStream({ bins, anchorRows })(matrix).decode();
          const largest = Math.max(...matrix.data.map(Math.abs));
          // A delta is at most twice the largest magnitude, and a step of the anchor.
          const step = (2.02 * largest) / (bins / 2 - 1);
          expect(largestDifference(decoded, matrix.data)).toBeLessThan(step * 0.51);
        },
      ),
    );
  });

  test('deltas of rows that drift take fewer bytes than the rows, at no larger error', () => {
    const random = createRandom(5);
    const data = Float32Array.from(
      { length: 300 * 32 },
      (_, i) => 4 * Math.sin(Math.floor(i / 32) / 40 + (i % 32)) + 0.1 * random.normal(),
    );
    const matrix = { rows: 300, columns: 32, data };
    const plain = deltaStream({ bins: 64, anchorRows: 0 })(matrix);
    const delta = deltaStream({ bins: 16, anchorRows: 5 })(matrix);
    expect(largestDifference(delta.decode(), data)).toBeLessThan(
      1.05 * largestDifference(plain.decode(), data),
    );
    expect(byteLength(delta.buffers)).toBeLessThan(0.9 * byteLength(plain.buffers));
    expect(bytesByRole(delta.buffers).scales).toBe(600);
  });

  test("LMCache's thirds on 4 layers, and bad bins", () => {
    expect([0, 1, 2, 3].map((layer) => binsByLayer(layer, 4))).toEqual([
      { key: 32, value: 32 },
      { key: 32, value: 16 },
      { key: 16, value: 16 },
      { key: 16, value: 16 },
    ]);
    expect(() => deltaStream({ bins: 3, anchorRows: 0 })).toThrow('invalid bins: 3');
    expect(() => deltaStream({ bins: 8, anchorRows: -1 })).toThrow('invalid anchorRows: -1');
  });
});
