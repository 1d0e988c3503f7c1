import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeAdaptiveParallel } from '../../../lib/attention/compose/adaptive-parallel';
import { attendPartial } from '../../../lib/attention/compose/attend-partial';
import {
  alibiSlopes,
  encodeRows,
  type PositionEncoding,
  scoreBias,
} from '../../../lib/attention/position/encoding';
import { applyRope, rerotate, undoRope } from '../../../lib/attention/position/rope';
import {
  makeRope,
  type RopeOptions,
  type RopePairing,
  type RopeScaling,
} from '../../../lib/attention/position/rope-frequencies';
import { distanceOf, type PositionRule, positionsOf } from '../../../lib/attention/position/rules';
import { positionScores } from '../../../lib/attention/position/scores';
import { createRandom } from '../../../lib/random/random';

const pairings = fc.constantFrom<RopePairing>('half-split', 'interleaved');
const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const yarn = { type: 'yarn', originalTokens: 2048, betaFast: 32, betaSlow: 1 } as const;
const llama3 = {
  type: 'llama3',
  originalTokens: 8192,
  lowFrequencyFactor: 1,
  highFrequencyFactor: 4,
} as const;
const scalings = fc.constantFrom<RopeScaling>(
  { type: 'none' },
  { type: 'linear', factor: 4 },
  { type: 'ntk', factor: 4 },
  { type: 'dynamic-ntk', factor: 2, originalTokens: 2048, contextTokens: 6000 },
  { ...yarn, factor: 4 },
  { ...llama3, factor: 8 },
);
const ropes = fc
  .record({
    headSize: fc.constantFrom(4, 6, 16),
    base: fc.constantFrom(100, 10_000),
    pairing: pairings,
    scaling: scalings,
  })
  .map((options: RopeOptions) => makeRope(options));

function normals(length: number, seed: number): Float64Array {
  const random = createRandom(seed);
  return Float64Array.from({ length }, () => random.normal());
}

function worstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const each = Math.abs(a[i]! - b[i]!);
    if (!(each <= most)) most = Number.isNaN(each) ? Number.POSITIVE_INFINITY : each;
  }
  return most;
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, each, i) => sum + each * b[i]!, 0);
}

describe('rotary encoding', () => {
  it('turns pairs by position x frequency', () => {
    const options = { headSize: 4, base: 100, pairing: 'half-split' } as const;
    const half = applyRope([1, 2, 3, 4], [2], makeRope(options));
    const [fast, slow] = [2, 2 / 10];
    const expected = [
      Math.cos(fast) - 3 * Math.sin(fast),
      2 * Math.cos(slow) - 4 * Math.sin(slow),
      Math.sin(fast) + 3 * Math.cos(fast),
      2 * Math.sin(slow) + 4 * Math.cos(slow),
    ];
    expect(worstDifference(half, expected)).toBeLessThan(1e-15);
    const woven = applyRope([1, 3, 2, 4], [2], makeRope({ ...options, pairing: 'interleaved' }));
    expect([...woven]).toEqual([half[0], half[2], half[1], half[3]]);
  });

  it('leaves position 0 alone and keeps lengths', () => {
    fc.assert(
      fc.property(ropes, seeds, fc.integer({ min: -5000, max: 5000 }), (rope, seed, position) => {
        const row = normals(rope.headSize, seed);
        const start = applyRope(row, [0], rope);
        expect(
          worstDifference(
            start,
            row.map((x) => x * rope.attentionFactor),
          ),
        ).toBe(0);
        const turned = applyRope(row, [position], rope);
        const length = rope.attentionFactor ** 2 * dot(row, row);
        expect(Math.abs(dot(turned, turned) - length)).toBeLessThan(1e-12 * length);
      }),
      { numRuns: 100 },
    );
  });

  it('has an inverse', () => {
    fc.assert(
      fc.property(ropes, seeds, (rope, seed) => {
        const rows = normals(3 * rope.headSize, seed);
        const positions = [0, 17, 4096];
        const encoded = applyRope(rows, positions, rope);
        expect(worstDifference(undoRope(encoded, positions, rope), rows)).toBeLessThan(1e-13);
        expect(worstDifference(encoded, rows)).toBeGreaterThan(1e-3);
      }),
      { numRuns: 100 },
    );
  });

  it('re-rotated keys are keys encoded at the new position', () => {
    const position = fc.integer({ min: 0, max: 4096 });
    fc.assert(
      fc.property(ropes, seeds, position, position, (rope, seed, from, to) => {
        const rows = normals(2 * rope.headSize, seed);
        const moved = rerotate(applyRope(rows, [from, to], rope), [from, to], [to, from], rope);
        const encoded = applyRope(rows, [to, from], rope);
        expect(worstDifference(moved, encoded)).toBeLessThan(2e-11);
      }),
      { numRuns: 200 },
    );
  });

  it('makes scores depend on the distance alone', () => {
    const position = fc.integer({ min: 0, max: 1000 });
    fc.assert(
      fc.property(ropes, seeds, position, position, position, (rope, seed, q, k, shift) => {
        const query = normals(rope.headSize, seed);
        const key = normals(rope.headSize, seed + 1);
        const score = (a: number, b: number) =>
          dot(applyRope(query, [a], rope), applyRope(key, [b], rope));
        expect(Math.abs(score(q + shift, k + shift) - score(q, k))).toBeLessThan(2e-10);
      }),
      { numRuns: 200 },
    );
    const rope = makeRope({ headSize: 4, base: 100, pairing: 'half-split' });
    const query = applyRope([1, 2, 3, 4], [5], rope);
    const at = (k: number) => dot(query, applyRope([1, 2, 3, 4], [k], rope));
    expect(Math.abs(at(2) - at(3))).toBeGreaterThan(1);
  });

  it('refuses rows, sizes and factors that do not fit', () => {
    const rope = makeRope({ headSize: 4, base: 100, pairing: 'half-split' });
    expect(() => applyRope([1, 2, 3], [0], rope)).toThrow('invalid rows length: 3');
    expect(() => rerotate([1, 2, 3, 4], [0], [0, 1], rope)).toThrow('invalid to length: 2');
    const make = (options: Partial<RopeOptions>) => () =>
      makeRope({ headSize: 4, base: 100, pairing: 'half-split', ...options });
    expect(make({ headSize: 5 })).toThrow('invalid headSize: 5 (expected a positive even integer)');
    expect(make({ base: 1 })).toThrow('invalid base: 1 (expected above 1)');
    expect(make({ scaling: { type: 'linear', factor: 0.5 } })).toThrow(
      'invalid linear factor: 0.5',
    );
    expect(make({ headSize: 2, scaling: { type: 'ntk', factor: 2 } })).toThrow(
      'invalid headSize: 2 (ntk expects at least 4)',
    );
    expect(make({ scaling: { ...yarn, factor: 2, betaFast: 1 } })).toThrow('invalid betaSlow: 1');
    expect(make({ scaling: { ...llama3, factor: 2, lowFrequencyFactor: 0 } })).toThrow(
      'invalid lowFrequencyFactor: 0',
    );
  });
});

describe('scaled frequencies', () => {
  const frequencies = (headSize: number, base: number, scaling?: RopeScaling) =>
    makeRope({ headSize, base, pairing: 'half-split', scaling }).frequencies;

  it('are those of plain RoPE at factor 1', () => {
    const plain = frequencies(16, 10_000);
    for (const scaling of [
      { type: 'linear', factor: 1 },
      { type: 'ntk', factor: 1 },
      { ...yarn, factor: 1 },
      { ...llama3, factor: 1 },
    ] as const) {
      expect(worstDifference(frequencies(16, 10_000, scaling), plain)).toBeLessThan(1e-16);
    }
    const options = { headSize: 16, base: 10_000, pairing: 'half-split' } as const;
    expect(makeRope({ ...options, scaling: { ...yarn, factor: 1 } }).attentionFactor).toBe(1);
  });

  it('match values worked out apart from this code', () => {
    const close = (actual: ArrayLike<number>, expected: readonly number[]) =>
      expected.forEach((each, i) => {
        expect(Math.abs(actual[i]! / each - 1)).toBeLessThan(1e-12);
      });
    close(
      frequencies(8, 10_000, { type: 'ntk', factor: 4 }),
      [1, 0.06299605249474366, 0.003968502629920499, 0.00025],
    );
    close(
      frequencies(8, 10_000, {
        type: 'dynamic-ntk',
        factor: 2,
        originalTokens: 2048,
        contextTokens: 6000,
      }),
      [1, 0.05903911811170194, 0.0034856174674074924, 0.00020578778135048233],
    );
    close(
      frequencies(16, 10_000, { ...yarn, factor: 4 }),
      [
        1, 0.31622776601683794, 0.1, 0.02569350598886808, 0.00625, 0.001383496476323666, 0.00025,
        7.905694150420948e-5,
      ],
    );
    const bands = frequencies(32, 500_000, { ...llama3, factor: 8 });
    close(
      bands.subarray(6, 11),
      [
        0.007292664737217109, 0.003211445994752591, 0.0005248461609929547, 7.78465527393245e-5,
        3.428102195952591e-5,
      ],
    );
  });

  it('change slow pairs and leave fast ones', () => {
    const plain = frequencies(32, 500_000);
    for (const scaling of [
      { ...yarn, factor: 8 },
      { ...llama3, factor: 8 },
    ] as const) {
      const scaled = frequencies(32, 500_000, scaling);
      expect(scaled[0]).toBe(plain[0]);
      expect(scaled[15]! / plain[15]!).toBeCloseTo(1 / 8, 12);
      for (let i = 1; i < 16; i++) {
        expect(scaled[i]! / plain[i]!).toBeLessThanOrEqual(1 + 1e-12);
        expect(scaled[i]!).toBeLessThan(scaled[i - 1]!);
      }
    }
  });

  it('of the NTK base interpolate the slowest pair exactly, and dynamically only past training', () => {
    const plain = frequencies(16, 10_000);
    expect(frequencies(16, 10_000, { type: 'ntk', factor: 4 })[7]! / plain[7]!).toBeCloseTo(
      0.25,
      12,
    );
    const dynamic = (contextTokens: number) =>
      frequencies(16, 10_000, {
        type: 'dynamic-ntk',
        factor: 3,
        originalTokens: 2048,
        contextTokens,
      });
    expect([...dynamic(100)]).toEqual([...plain]);
    expect([...dynamic(2048)]).toEqual([...plain]);
    expect(dynamic(4096)[7]! / plain[7]!).toBeCloseTo(1 / 4, 12);
  });

  it('of linear scaling are RoPE at divided positions', () => {
    const rows = normals(16, 4);
    const options = { headSize: 8, base: 10_000, pairing: 'interleaved' } as const;
    const scaled = makeRope({ ...options, scaling: { type: 'linear', factor: 4 } });
    const a = applyRope(rows, [100, 7], scaled);
    const b = applyRope(rows, [25, 1.75], makeRope(options));
    expect(worstDifference(a, b)).toBeLessThan(1e-13);
  });

  it('of YaRN come with an attention factor on both sides of a score', () => {
    const options = { headSize: 4, base: 100, pairing: 'half-split' } as const;
    const given = makeRope({ ...options, scaling: { ...yarn, factor: 4 } });
    expect(given.attentionFactor).toBeCloseTo(1.138629436111989, 14);
    const fixed = makeRope({ ...options, scaling: { ...yarn, factor: 4, attentionFactor: 1 } });
    const row = normals(4, 6);
    const score = (rope: typeof given) => dot(applyRope(row, [9], rope), applyRope(row, [4], rope));
    expect(score(given) / score(fixed)).toBeCloseTo(1.138629436111989 ** 2, 12);
  });
});

describe('other encodings', () => {
  const rope = makeRope({ headSize: 8, base: 10_000, pairing: 'interleaved' });
  const xpos = { type: 'xpos', rope, gamma: 0.4, scaleBase: 16 } as const;

  it('xPos depends on the distance alone and decays with it', () => {
    const position = fc.integer({ min: 0, max: 200 });
    fc.assert(
      fc.property(seeds, position, position, position, (seed, k, distance, shift) => {
        const query = normals(8, seed);
        const key = normals(8, seed + 1);
        const score = (a: number, b: number) =>
          dot(encodeRows(query, [a], xpos, 'query'), encodeRows(key, [b], xpos, 'key'));
        const expected = score(distance, 0);
        const error = Math.abs(score(k + shift + distance, k + shift) - expected);
        expect(error).toBeLessThan(1e-9);
      }),
      { numRuns: 100 },
    );
    // One pair alone: the rotation cancels over a whole turn of it, and zeta^(distance / base) is left.
    const pair = [0, 0, 0, 0, 0, 0, 1, 0];
    const decayed =
      dot(encodeRows(pair, [64], xpos, 'query'), encodeRows(pair, [0], xpos, 'key')) /
      Math.cos(64 * rope.frequencies[3]!);
    expect(decayed).toBeCloseTo((1.15 / 1.4) ** 4, 12);
  });

  it('xPos without decay is RoPE', () => {
    const row = normals(8, 1);
    const flat = { ...xpos, scaleBase: Number.POSITIVE_INFINITY };
    for (const role of ['query', 'key'] as const) {
      expect([...encodeRows(row, [9], flat, role)]).toEqual([...applyRope(row, [9], rope)]);
    }
  });

  it('ALiBi lowers scores by 2^(-8 i / heads) per position of distance', () => {
    expect([...alibiSlopes(8)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((i) => 2 ** -i));
    expect(alibiSlopes(3)[2]).toBeCloseTo(2 ** -8, 15);
    expect(() => alibiSlopes(0)).toThrow('invalid heads: 0 (expected a positive integer)');
    const encoding = { type: 'alibi', slope: 0.5 } as const;
    expect(scoreBias(encoding, 6)).toBe(-3);
    const positions = positionsOf({ type: 'absolute' }, { queries: 1, keys: 4 });
    const head = { headSize: 1, query: [4], key: [1, 1, 2, 2] };
    expect([...positionScores(head, positions, encoding)]).toEqual([2.5, 3, 7.5, 8]);
  });

  it('NoPE scores know no positions', () => {
    const head = { headSize: 2, query: normals(2, 1), key: normals(6, 2) };
    const context = { queries: 1, keys: 5, keptSlots: [0, 3, 4] };
    const scores = (rule: PositionRule) =>
      positionScores(head, positionsOf(rule, context), { type: 'none' });
    expect([...scores({ type: 'absolute' })]).toEqual([...scores({ type: 'slot-index' })]);
  });
});

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
