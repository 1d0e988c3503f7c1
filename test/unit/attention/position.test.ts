import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alibiSlopes, encodeRows, scoreBias } from '../../../lib/attention/position/encoding';
import { applyRope, rerotate, undoRope } from '../../../lib/attention/position/rope';
import {
  makeRope,
  type RopeOptions,
  type RopePairing,
  type RopeScaling,
} from '../../../lib/attention/position/rope-frequencies';
import { type PositionRule, positionsOf } from '../../../lib/attention/position/rules';
import { positionScores } from '../../../lib/attention/position/scores';
import { normals, seeds, worstDifference } from './position-rows';

const pairings = fc.constantFrom<RopePairing>('half-split', 'interleaved');

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
