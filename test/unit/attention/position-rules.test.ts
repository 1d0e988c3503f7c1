import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeAdaptiveParallel } from '../../../lib/attention/compose/adaptive-parallel';
import { attendPartial } from '../../../lib/attention/compose/attend-partial';
import { encodeRows, type PositionEncoding } from '../../../lib/attention/position/encoding';
import { applyRope } from '../../../lib/attention/position/rope';
import { makeRope } from '../../../lib/attention/position/rope-frequencies';
import { distanceOf, type PositionRule, positionsOf } from '../../../lib/attention/position/rules';
import { positionScores } from '../../../lib/attention/position/scores';
import { normals, seeds, worstDifference } from './position-rows';

describe('position rules', () => {
  const list = (values: Float64Array) => [...values];

  it('absolute: places in the text, whatever was evicted', () => {
    const positions = positionsOf(
      { type: 'absolute' },
      { queries: 2, keys: 8, keptSlots: [0, 1, 6, 7] },
    );
    expect(list(positions.query)).toEqual([6, 7]);
    expect(list(positions.key)).toEqual([0, 1, 6, 7]);
    expect(positions.maxDistance).toBeUndefined();
  });

  it('slot-index: contiguous after any eviction, with queries at the end', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.boolean(), { maxLength: 30 }),
        (queries, keep) => {
          const keys = keep.length + queries;
          const keptSlots = Array.from({ length: keys }, (_, slot) => slot).filter(
            (slot) => keep[slot] ?? true,
          );
          const positions = positionsOf({ type: 'slot-index' }, { queries, keys, keptSlots });
          const places = keptSlots.map((_, i) => i);
          expect(list(positions.key)).toEqual(places);
          expect(list(positions.query)).toEqual(places.slice(-queries));
        },
      ),
      { numRuns: 100 },
    );
    const whole = { queries: 3, keys: 9 };
    expect(positionsOf({ type: 'slot-index' }, whole)).toEqual(
      positionsOf({ type: 'absolute' }, whole),
    );
    expect(() =>
      positionsOf({ type: 'slot-index' }, { queries: 2, keys: 5, keptSlots: [0, 1, 4] }),
    ).toThrow(
      "invalid keptSlots: some of 3..4 missing (slot-index expects the queries' own slots)",
    );
  });

  it('slot-index keeps distances within the cache where absolute ones grow with the text', () => {
    const keptSlots = [0, 1, 998, 999];
    const context = { queries: 1, keys: 1000, keptSlots };
    const distances = (rule: PositionRule) => {
      const positions = positionsOf(rule, context);
      return keptSlots.map((_, k) => distanceOf(positions, 0, k));
    };
    expect(distances({ type: 'slot-index' })).toEqual([3, 2, 1, 0]);
    expect(distances({ type: 'absolute' })).toEqual([999, 998, 1, 0]);
  });

  it('restart: encodes every document as it would be alone', () => {
    const rope = makeRope({ headSize: 4, base: 100, pairing: 'half-split' });
    const encoding = { type: 'rope', rope } as const;
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 }),
        seeds,
        (lengths, seed) => {
          const documentOf = lengths.flatMap((length, document) =>
            new Array<number>(length).fill(document),
          );
          const keys = documentOf.length;
          const rows = normals(4 * keys, seed);
          const packed = positionsOf({ type: 'restart' }, { queries: keys, keys, documentOf });
          expect(packed.query).toEqual(packed.key);
          const encoded = encodeRows(rows, packed.key, encoding, 'key');
          let start = 0;
          for (const length of lengths) {
            const cut = (values: Float64Array) => values.subarray(4 * start, 4 * (start + length));
            const alone = positionsOf({ type: 'absolute' }, { queries: length, keys: length });
            const expected = encodeRows(cut(rows), alone.key, encoding, 'key');
            expect([...cut(encoded)]).toEqual([...expected]);
            start += length;
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it('shared-start: contexts begin after the prefix, the query after the longest', () => {
    const rule = { type: 'shared-start', prefixKeys: 2, suffixKeys: 2 } as const;
    const documentOf = [0, 0, 1, 1, 1, 2, 3, 3, 4, 4];
    const { key, query } = positionsOf(rule, { queries: 2, keys: 10, documentOf });
    expect(list(key)).toEqual([0, 1, 2, 3, 4, 2, 2, 3, 5, 6]);
    expect(list(query)).toEqual([5, 6]);
    const single = { queries: 2, keys: 10, documentOf: new Array<number>(10).fill(7) };
    expect(positionsOf(rule, single)).toEqual(positionsOf({ type: 'absolute' }, single));
    expect(() => positionsOf({ ...rule, suffixKeys: 9 }, single)).toThrow(
      'invalid suffixKeys: 9 (expected an integer in 0..8)',
    );
  });

  it('shared-start: parallel encoding of one context is sequential attention, of two is not', () => {
    const rope = makeRope({ headSize: 4, base: 100, pairing: 'half-split' });
    const rule = { type: 'shared-start', prefixKeys: 2, suffixKeys: 1 } as const;
    const [query, key, value] = [normals(4, 1), normals(36, 2), normals(36, 3)];
    const attend = (positionRule: PositionRule, documentOf: readonly number[]) => {
      const positions = positionsOf(positionRule, { queries: 1, keys: 9, documentOf });
      const head = {
        queries: 1,
        keys: 9,
        headSize: 4,
        valueSize: 4,
        query: applyRope(query, positions.query, rope),
        key: applyRope(key, positions.key, rope),
        value,
      };
      const isContext = (_: number, k: number) => k >= 2 && k < 8;
      const context = attendPartial(head, { isVisible: isContext });
      const other = attendPartial(head, { isVisible: (q, k) => !isContext(q, k) });
      return mergeAdaptiveParallel(context, other, { temperature: 1, scale: 1 }).output;
    };
    const one = [0, 0, 1, 1, 1, 1, 1, 1, 2];
    const two = [0, 0, 1, 1, 1, 3, 3, 3, 2];
    const sequential = attend({ type: 'absolute' }, one);
    expect([...attend(rule, one)]).toEqual([...sequential]);
    expect(worstDifference(attend(rule, two), sequential)).toBeGreaterThan(1e-2);
  });

  it('clamped-far: no distance above the window, nearer ones untouched', () => {
    const rope = makeRope({ headSize: 6, base: 50, pairing: 'half-split' });
    const encodings: readonly PositionEncoding[] = [
      { type: 'rope', rope },
      { type: 'xpos', rope, gamma: 0.4, scaleBase: 20 },
      { type: 'alibi', slope: 0.25 },
    ];
    const head = { headSize: 6, query: normals(3 * 6, 1), key: normals(20 * 6, 2) };
    const context = { queries: 3, keys: 20 };
    const clamped = positionsOf({ type: 'clamped-far', windowTokens: 5 }, context);
    const plain = positionsOf({ type: 'absolute' }, context);
    for (const encoding of encodings) {
      const scores = positionScores(head, clamped, encoding);
      const unclamped = positionScores(head, plain, encoding);
      let changed = 0;
      for (let q = 0; q < 3; q++) {
        for (let k = 0; k < 20; k++) {
          const distance = 17 + q - k;
          expect(distanceOf(clamped, q, k)).toBe(Math.min(distance, 5));
          const one = {
            headSize: 6,
            query: head.query.subarray(q * 6, q * 6 + 6),
            key: head.key.subarray(k * 6, k * 6 + 6),
          };
          const at = { query: [Math.min(distance, 5)], key: [0] };
          const expected = positionScores(
            one,
            {
              axes: 1,
              query: Float64Array.from(at.query),
              key: Float64Array.from(at.key),
              maxDistance: undefined,
            },
            encoding,
          )[0]!;
          expect(Math.abs(scores[q * 20 + k]! - expected)).toBeLessThan(1e-12);
          if (distance <= 5) {
            expect(Math.abs(scores[q * 20 + k]! - unclamped[q * 20 + k]!)).toBeLessThan(1e-12);
          } else if (Math.abs(scores[q * 20 + k]! - unclamped[q * 20 + k]!) > 1e-3) changed++;
        }
      }
      expect(changed).toBeGreaterThan(20);
    }
    const wide = positionsOf({ type: 'clamped-far', windowTokens: 20 }, context);
    const [rotary] = encodings as [PositionEncoding];
    expect(positionScores(head, wide, rotary)).toEqual(positionScores(head, plain, rotary));
  });

  it('decoupled: input and output count their own slots, from three starts', () => {
    const groupOf = [0, 0, 0, 1, 0, 1, 1, 0];
    const context = { queries: 1, keys: 8, groupOf };
    const keyOf = (rule: PositionRule) => list(positionsOf(rule, context).key);
    expect(keyOf({ type: 'decoupled', output: 'group' })).toEqual([0, 1, 2, 0, 3, 1, 2, 4]);
    expect(keyOf({ type: 'decoupled', output: 'overlap' })).toEqual([0, 1, 2, 3, 3, 4, 5, 4]);
    expect(keyOf({ type: 'decoupled', output: 'gap', gapTokens: 100 })).toEqual([
      0, 1, 2, 100, 3, 101, 102, 4,
    ]);
    expect(keyOf({ type: 'decoupled', output: 'gap', gapTokens: 0 })).toEqual(
      keyOf({ type: 'decoupled', output: 'group' }),
    );
    // Without input after the first output, overlap is the text's own order.
    const offline = { queries: 1, keys: 5, groupOf: [0, 0, 0, 1, 1] };
    expect(positionsOf({ type: 'decoupled', output: 'overlap' }, offline)).toEqual(
      positionsOf({ type: 'absolute' }, offline),
    );
  });

  it('refuses tables that are missing or do not fit', () => {
    const context = { queries: 1, keys: 3 };
    expect(() => positionsOf({ type: 'restart' }, context)).toThrow(
      'missing documentOf: rule restart reads it',
    );
    expect(() => positionsOf({ type: 'restart' }, { ...context, documentOf: [0] })).toThrow(
      'invalid documentOf length: 1 (expected 3)',
    );
    expect(() =>
      positionsOf({ type: 'decoupled', output: 'group' }, { ...context, groupOf: [0, 2, 1] }),
    ).toThrow('invalid groupOf[1]: 2 (expected an integer in 0..1)');
    expect(() => positionsOf({ type: 'absolute' }, { ...context, keptSlots: [1, 1] })).toThrow(
      'invalid keptSlots[1]: 1 (expected an integer in 2..2)',
    );
    expect(() => positionsOf({ type: 'absolute' }, { queries: 4, keys: 3 })).toThrow(
      'invalid queries: 4 (expected an integer in 1..3)',
    );
    const positions = positionsOf({ type: 'absolute' }, context);
    const head = { headSize: 2, query: [1, 2], key: [1, 2] };
    expect(() => positionScores(head, positions, { type: 'none' })).toThrow(
      'invalid key length: 2 (expected 3 positions x headSize 2)',
    );
  });
});
