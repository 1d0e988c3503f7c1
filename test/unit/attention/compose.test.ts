import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ADAPTIVE_PARALLEL_DEFAULTS,
  mergeAdaptiveParallel,
} from '../../../lib/attention/compose/adaptive-parallel';
import {
  type AttendOptions,
  attendPartial,
  softCap,
} from '../../../lib/attention/compose/attend-partial';
import { differentialOutput } from '../../../lib/attention/compose/differential';
import {
  classifyHeads,
  headMasks,
  keptKeysShare,
  shareOfRetrieval,
} from '../../../lib/attention/compose/head-classes';
import {
  equivalentKvHeads,
  gqaBytesPerToken,
  mhaBytesPerToken,
  mlaBytesPerToken,
  mqaBytesPerToken,
} from '../../../lib/attention/compose/kv-bytes-per-token';
import {
  attendAbsorbed,
  attendExpanded,
  compressTokens,
  type LatentCache,
  type LatentShape,
  type LatentWeights,
} from '../../../lib/attention/compose/latent-attention';
import {
  emptyPartial,
  massShares,
  mergePartials,
} from '../../../lib/attention/compose/merge-partials';
import { gatesOf, mixGated, mixHeads } from '../../../lib/attention/compose/mix-heads';
import { offByOne, withSinkLogit, withSinkLogits } from '../../../lib/attention/compose/sink-logit';
import type {
  HeadOperands,
  MergedAttention,
  PartialAttention,
} from '../../../lib/attention/compose/types';
import { applyRope } from '../../../lib/attention/position/rope';
import { makeRope } from '../../../lib/attention/position/rope-frequencies';
import { assembleProgram } from '../../../lib/attention/program';
import { attentionReference } from '../../../lib/attention/reference';
import { createRandom, type Random } from '../../../lib/random/random';

function normals(random: Random, length: number, spread = 1): Float64Array {
  return Float64Array.from({ length }, () => spread * random.normal());
}

interface HeadSpec {
  readonly queries: number;
  readonly keys: number;
  readonly headSize: number;
  readonly valueSize: number;
  readonly seed: number;
  /** Spread of queries and keys: larger makes the softmax peakier. */
  readonly spread: number;
}

const heads: fc.Arbitrary<HeadSpec> = fc.record({
  queries: fc.integer({ min: 1, max: 4 }),
  keys: fc.integer({ min: 1, max: 24 }),
  headSize: fc.integer({ min: 1, max: 8 }),
  valueSize: fc.integer({ min: 1, max: 6 }),
  seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  spread: fc.constantFrom(0.3, 1, 3),
});

function makeHead(spec: HeadSpec): HeadOperands {
  const random = createRandom(spec.seed);
  return {
    ...spec,
    query: normals(random, spec.queries * spec.headSize, spec.spread),
    key: normals(random, spec.keys * spec.headSize, spec.spread),
    value: normals(random, spec.keys * spec.valueSize),
  };
}

/** Softmax weights written out without any shift by a maximum, [queries][keys]. */
function weightsOf(head: HeadOperands, temperature = 1): number[][] {
  return Array.from({ length: head.queries }, (_, q) => {
    const exps = Array.from({ length: head.keys }, (_, k) => {
      let dot = 0;
      for (let d = 0; d < head.headSize; d++) {
        dot += head.query[q * head.headSize + d]! * head.key[k * head.headSize + d]!;
      }
      return Math.exp(dot / Math.sqrt(head.headSize) / temperature);
    });
    const sum = exps.reduce((a, b) => a + b, 0);
    return exps.map((each) => each / sum);
  });
}

function timesValue(weights: readonly number[][], head: HeadOperands): number[] {
  return weights.flatMap((row) =>
    Array.from({ length: head.valueSize }, (_, d) =>
      row.reduce((sum, w, k) => sum + w * head.value[k * head.valueSize + d]!, 0),
    ),
  );
}

/** Largest difference over the largest magnitude; equal infinities are equal. */
function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let most = 0;
  let scale = 0;
  for (let i = 0; i < expected.length; i++) {
    if (actual[i] === expected[i]) {
      if (Number.isFinite(expected[i])) scale = Math.max(scale, Math.abs(expected[i]!));
      continue;
    }
    const each = Math.abs(actual[i]! - expected[i]!);
    if (!(each <= most)) most = Number.isNaN(each) ? Number.POSITIVE_INFINITY : each;
    scale = Math.max(scale, Math.abs(expected[i]!));
  }
  return most === 0 ? 0 : most / Math.max(scale, 1e-3);
}

function expectEqual(actual: PartialAttention, expected: PartialAttention, tolerance = 1e-12) {
  expect(relativeError(actual.output, expected.output)).toBeLessThan(tolerance);
  expect(relativeError(actual.lse, expected.lse)).toBeLessThan(tolerance);
}

const labels = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 24, maxLength: 24 });

/** Parts by label of a key; labels without keys give empty parts. */
function splitKeys(
  head: HeadOperands,
  labelOf: readonly number[],
  options: AttendOptions = {},
): MergedAttention[] {
  return [0, 1, 2, 3].map((label) =>
    attendPartial(head, {
      ...options,
      isVisible: (q, k) => labelOf[k] === label && (options.isVisible?.(q, k) ?? true),
    }),
  );
}

describe('attention over a set of keys', () => {
  it('equals the reference of the kernels', () => {
    const shape = { batch: 1, queryHeads: 1, kvHeads: 1, queries: 5, keys: 9, headSize: 4 };
    const random = createRandom(3);
    const query = Float32Array.from(normals(random, 20));
    const key = Float32Array.from(normals(random, 36));
    const value = Float32Array.from(normals(random, 36));
    const program = assembleProgram(shape, {
      mask: undefined,
      score: undefined,
      numbers: [],
      tables: [],
    });
    const expected = attentionReference({ shape, query, key, value, program });
    const actual = attendPartial({ ...shape, valueSize: 4, query, key, value });
    expectEqual(actual, { rows: 5, valueSize: 4, ...expected });
  });

  it('divides scores by the temperature and rewrites them after it', () => {
    fc.assert(
      fc.property(heads, fc.constantFrom(0.5, 0.9, 2), (spec, temperature) => {
        const head = makeHead(spec);
        const { output } = attendPartial(head, { temperature });
        const expected = timesValue(weightsOf(head, temperature), head);
        expect(relativeError(output, expected)).toBeLessThan(1e-12);
      }),
      { numRuns: 50 },
    );
    const seen: number[] = [];
    attendPartial(
      { queries: 1, keys: 1, headSize: 1, valueSize: 1, query: [6], key: [1], value: [1] },
      { temperature: 2, modify: (score) => seen.push(score) },
    );
    expect(seen).toEqual([3]);
  });

  it('counts a key with log w added to its score as w equal keys', () => {
    const head = makeHead({ queries: 2, keys: 4, headSize: 3, valueSize: 2, seed: 7, spread: 1 });
    const thrice = (values: ArrayLike<number>, size: number) => {
      const all = Array.from(values);
      const last = all.slice(-size);
      return [...all, ...last, ...last];
    };
    const repeated = { ...head, keys: 6, key: thrice(head.key, 3), value: thrice(head.value, 2) };
    const weighted = attendPartial(head, {
      modify: (score, _, k) => (k === 3 ? score + Math.log(3) : score),
    });
    expectEqual(weighted, attendPartial(repeated));
  });

  it('caps scores softly', () => {
    expect(softCap(1e6, 30)).toBeCloseTo(30, 12);
    expect(softCap(-1e6, 30)).toBeCloseTo(-30, 12);
    expect(softCap(0.01, 30)).toBeCloseTo(0.01, 8);
    expect(softCap(30, 30)).toBeCloseTo(30 * Math.tanh(1), 12);
  });
});

describe('merge of disjoint key sets', () => {
  it('is the attention over their union, for any partition and mask', () => {
    fc.assert(
      fc.property(heads, labels, fc.boolean(), (spec, labelOf, causal) => {
        const head = makeHead(spec);
        const first = spec.keys - spec.queries;
        const isVisible = (q: number, k: number) => !causal || k <= first + q;
        const parts = splitKeys(head, labelOf, { isVisible });
        expectEqual(mergePartials(parts), attendPartial(head, { isVisible }));
      }),
      { numRuns: 300 },
    );
  });

  it('is associative and free of order', () => {
    fc.assert(
      fc.property(heads, labels, (spec, labelOf) => {
        const [a, b, c, d] = splitKeys(makeHead(spec), labelOf) as [
          MergedAttention,
          MergedAttention,
          MergedAttention,
          MergedAttention,
        ];
        const together = mergePartials([a, b, c, d]);
        expectEqual(mergePartials([mergePartials([a, b]), mergePartials([c, d])]), together);
        expectEqual(mergePartials([a, mergePartials([b, mergePartials([c, d])])]), together);
        expectEqual(mergePartials([d, b, c, a]), together);
      }),
      { numRuns: 100 },
    );
  });

  it('has the empty part as its neutral element, whatever that left in its output', () => {
    fc.assert(
      fc.property(heads, (spec) => {
        const part = attendPartial(makeHead(spec));
        const empty = emptyPartial(part.rows, part.valueSize);
        const dirty = { ...empty, output: empty.output.map(() => Number.NaN) };
        expect(mergePartials([part])).toEqual(part);
        expect(mergePartials([empty, part, dirty])).toEqual(part);
        expect(mergePartials([dirty, empty])).toEqual(empty);
      }),
      { numRuns: 50 },
    );
  });

  it('survives scores far beyond what an exponential holds', () => {
    const part = (output: number, lse: number): PartialAttention => ({
      rows: 1,
      valueSize: 1,
      output: Float64Array.of(output),
      lse: Float64Array.of(lse),
    });
    const merged = mergePartials([part(1, 2000), part(3, 2000 + Math.log(3)), part(9, -2000)]);
    expect(merged.output[0]).toBeCloseTo(2.5, 12);
    expect(merged.lse[0]).toBeCloseTo(2000 + Math.log(4), 12);
  });

  it('tells the mass on each tier', () => {
    fc.assert(
      fc.property(heads, labels, (spec, labelOf) => {
        const head = makeHead(spec);
        const weights = weightsOf(head);
        for (const [label, share] of massShares(splitKeys(head, labelOf)).entries()) {
          const expected = weights.map((row) =>
            row.reduce((sum, w, k) => sum + (labelOf[k] === label ? w : 0), 0),
          );
          share.forEach((each, row) => {
            expect(each).toBeCloseTo(expected[row]!, 12);
          });
        }
      }),
      { numRuns: 50 },
    );
    const unseen = massShares([emptyPartial(1, 1), emptyPartial(1, 1)]);
    expect(unseen.map((share) => [...share])).toEqual([[0], [0]]);
  });

  it('refuses parts that do not fit', () => {
    const one = emptyPartial(2, 3);
    const lse = Float64Array.of(0, Number.NaN);
    expect(() => mergePartials([])).toThrow('invalid parts: 0 (expected at least 1)');
    expect(() => mergePartials([one, emptyPartial(3, 3)])).toThrow(
      'invalid part 1: [3, 3] (expected [2, 3] as part 0)',
    );
    expect(() => mergePartials([one, { ...one, lse }])).toThrow(
      'invalid lse: NaN at part 1, row 1 (expected below Infinity)',
    );
    expect(() => mergePartials([{ ...one, output: new Float64Array(5) }])).toThrow(
      'invalid output of part 0 length: 5 (expected 6)',
    );
  });
});

describe('sinks', () => {
  const withKey = (head: HeadOperands): HeadOperands => ({
    ...head,
    keys: head.keys + 1,
    key: [...Array.from(head.key), ...new Float64Array(head.headSize)],
    value: [...Array.from(head.value), ...new Float64Array(head.valueSize)],
  });

  it('off-by-one softmax is one more key of zeros with a value of zeros', () => {
    fc.assert(
      fc.property(heads, (spec) => {
        const head = makeHead(spec);
        const part = attendPartial(head);
        const actual = offByOne(part);
        expectEqual(actual, attendPartial(withKey(head)));
        for (let row = 0; row < part.rows; row++) {
          const expected = Math.log(Math.exp(part.lse[row]!) + 1);
          expect(Math.abs(actual.lse[row]! - expected)).toBeLessThan(1e-12 * Math.max(1, expected));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('a learned logit is the score of that key, and -Infinity takes it away', () => {
    fc.assert(
      fc.property(heads, fc.double({ min: -8, max: 8, noNaN: true }), (spec, logit) => {
        const head = makeHead(spec);
        const part = attendPartial(head);
        const modify = (score: number, _: number, k: number) => (k === spec.keys ? logit : score);
        expectEqual(withSinkLogit(part, logit), attendPartial(withKey(head), { modify }));
        expect(withSinkLogit(part, Number.NEGATIVE_INFINITY)).toEqual(part);
      }),
      { numRuns: 100 },
    );
  });

  it('gives each head its logit, and lets a head without keys attend to nothing', () => {
    const part = attendPartial(
      makeHead({ queries: 1, keys: 3, headSize: 2, valueSize: 2, seed: 1, spread: 1 }),
    );
    const [first, second] = withSinkLogits([part, part], [-1, 2]);
    expect(first).toEqual(withSinkLogit(part, -1));
    expect(second).toEqual(withSinkLogit(part, 2));
    expect([...offByOne(emptyPartial(1, 2)).output]).toEqual([0, 0]);
    expect(() => withSinkLogits([part], [1, 2])).toThrow('invalid logits length: 2');
    expect(() => withSinkLogit(part, Number.NaN)).toThrow('invalid lse: NaN');
  });
});

describe('adaptive parallel encoding', () => {
  it('is the plain merge at temperature 1 and scale 1', () => {
    fc.assert(
      fc.property(heads, labels, (spec, labelOf) => {
        const head = makeHead(spec);
        const [context, other] = splitKeys(
          head,
          labelOf.map((label) => label % 2),
        ) as [MergedAttention, MergedAttention];
        const merged = mergeAdaptiveParallel(context, other, { temperature: 1, scale: 1 });
        expect(merged).toEqual(mergePartials([context, other]));
        expectEqual(merged, attendPartial(head));
      }),
      { numRuns: 100 },
    );
  });

  it('weighs the parts by the softmax of S T lse and lse', () => {
    const factors = fc.constantFrom(0.5, 0.9, 1.3);
    fc.assert(
      fc.property(heads, labels, factors, factors, (spec, labelOf, temperature, scale) => {
        const head = makeHead(spec);
        const isContext = (_: number, k: number) => labelOf[k]! < 2;
        const context = attendPartial(head, { temperature, isVisible: isContext });
        const other = attendPartial(head, { isVisible: (q, k) => !isContext(q, k) });
        const merged = mergeAdaptiveParallel(context, other, { temperature, scale });
        const expected = merged.output.map((_, i) => {
          const row = Math.floor(i / spec.valueSize);
          const a = Math.exp(scale * temperature * context.lse[row]!);
          const b = Math.exp(other.lse[row]!);
          return (a * context.output[i]! + b * other.output[i]!) / (a + b);
        });
        expect(relativeError(merged.output, expected)).toBeLessThan(1e-12);
      }),
      { numRuns: 100 },
    );
  });

  it('sharpens the contexts and shrinks a large log-sum-exp with the published numbers', () => {
    const head = makeHead({ queries: 1, keys: 12, headSize: 4, valueSize: 2, seed: 5, spread: 1 });
    const isVisible = (_: number, k: number) => k < 8;
    const { temperature } = ADAPTIVE_PARALLEL_DEFAULTS;
    const context = attendPartial(head, { temperature, isVisible });
    const other = attendPartial(head, { isVisible: (q, k) => !isVisible(q, k) });
    const merged = mergeAdaptiveParallel(context, other);
    const expected = Math.exp(0.81 * context.lse[0]!) + Math.exp(other.lse[0]!);
    expect(merged.lse[0]).toBeCloseTo(Math.log(expected), 12);
    expect(() => mergeAdaptiveParallel(context, other, { temperature: 0, scale: 1 })).toThrow(
      'invalid temperature: 0',
    );
  });
});

describe('differential attention', () => {
  it('is (A1 - lambda A2) V, from whole or merged parts', () => {
    fc.assert(
      fc.property(heads, labels, fc.constantFrom(0, 0.2, 0.8), (spec, labelOf, lambda) => {
        const head = makeHead(spec);
        const random = createRandom(spec.seed + 1);
        const twin = {
          ...head,
          query: normals(random, spec.queries * spec.headSize),
          key: normals(random, spec.keys * spec.headSize),
        };
        const a2 = weightsOf(twin);
        const difference = weightsOf(head).map((row, q) =>
          row.map((w, k) => w - lambda * a2[q]![k]!),
        );
        const actual = differentialOutput(
          mergePartials(splitKeys(head, labelOf)),
          mergePartials(splitKeys(twin, labelOf)),
          lambda,
        );
        expect(relativeError(actual, timesValue(difference, head))).toBeLessThan(1e-12);
      }),
      { numRuns: 100 },
    );
  });

  it('is 0 for a row without keys, whatever a kernel left there', () => {
    const empty = emptyPartial(1, 1);
    const dirty = { ...empty, output: Float64Array.of(Number.NaN) };
    expect([...differentialOutput(dirty, dirty, 0.5)]).toEqual([0]);
    expect(() => differentialOutput(empty, empty, Number.NaN)).toThrow('invalid lambda: NaN');
  });
});

describe('head classes', () => {
  it('keeps the highest scores as retrieval heads, ties by lower index', () => {
    const classes = classifyHeads([0.1, 0.9, 0.9, 0.9, 0.2], 0.4);
    expect(classes).toEqual(['streaming', 'retrieval', 'retrieval', 'streaming', 'streaming']);
    expect(shareOfRetrieval(classes)).toBe(0.4);
    expect(shareOfRetrieval(classifyHeads([3, 1, 2], 1))).toBe(1);
    expect(shareOfRetrieval(classifyHeads([3, 1, 2], 0))).toBe(0);
    expect(() => classifyHeads([1], 1.5)).toThrow('invalid retrievalShare: 1.5');
    expect(() => classifyHeads([1, Number.NaN], 0.5)).toThrow('NaN at head 1');
  });

  it('has masks whose last row holds as many keys as the kept share says', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.record({
          sinkTokens: fc.integer({ min: 0, max: 6 }),
          recentTokens: fc.integer({ min: 1, max: 9 }),
        }),
        fc.integer({ min: 1, max: 30 }),
        (gates, share, window, contextTokens) => {
          const classes = classifyHeads(gates, share);
          const kept = headMasks(classes, window).map((mask) => {
            let seen = 0;
            for (let k = 0; k < contextTokens; k++) if (mask(contextTokens - 1, k)) seen++;
            return seen;
          });
          const total = kept.reduce((a, b) => a + b, 0);
          expect(keptKeysShare(classes, window, contextTokens)).toBeCloseTo(
            total / (gates.length * contextTokens),
            12,
          );
        },
      ),
      { numRuns: 100 },
    );
  });

  it('sees sinks and recent keys and nothing after the query', () => {
    const [full, streaming] = headMasks(['retrieval', 'streaming'], {
      sinkTokens: 2,
      recentTokens: 3,
    });
    const seenBy = (mask: typeof full) =>
      Array.from({ length: 10 }, (_, k) => k).filter((k) => mask?.(7, k));
    expect(seenBy(full)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(seenBy(streaming)).toEqual([0, 1, 5, 6, 7]);
  });

  it('mixes heads by gate, and a decided gate takes one branch untouched', () => {
    const part = (values: readonly number[]): PartialAttention => ({
      rows: 2,
      valueSize: 1,
      output: Float64Array.from(values),
      lse: new Float64Array(2),
    });
    const full = part([4, 8]);
    const streaming = part([0, Number.NaN]);
    expect([...mixGated(part([4, 8]), part([0, 4]), 0.25)]).toEqual([1, 5]);
    const mixed = mixHeads(
      [full, full],
      [streaming, part([1, 2])],
      gatesOf(['retrieval', 'streaming']),
    );
    expect(mixed.map((each) => [...each])).toEqual([
      [4, 8],
      [1, 2],
    ]);
    expect(() => mixGated(full, full, 2)).toThrow('invalid gate: 2 (expected 0..1)');
    expect(() => mixHeads([full], [], [1])).toThrow('invalid heads: 0 streaming, 1 gates');
  });

  it('leaves the output alone while the context fits the window, and only then', () => {
    const output = (keys: number, window: { sinkTokens: number; recentTokens: number }) => {
      const head = makeHead({ queries: 1, keys, headSize: 4, valueSize: 3, seed: 9, spread: 1 });
      const [mask] = headMasks(['streaming'], window);
      const isVisible = (_: number, k: number) => mask!(keys - 1, k);
      return relativeError(attendPartial(head, { isVisible }).output, attendPartial(head).output);
    };
    expect(output(6, { sinkTokens: 2, recentTokens: 4 })).toBe(0);
    expect(output(7, { sinkTokens: 2, recentTokens: 4 })).toBeGreaterThan(1e-3);
  });
});

describe('latent attention', () => {
  const shapes: fc.Arbitrary<LatentShape> = fc.record({
    modelSize: fc.integer({ min: 1, max: 9 }),
    rank: fc.integer({ min: 1, max: 6 }),
    ropeSize: fc.constantFrom(2, 4),
    heads: fc.integer({ min: 1, max: 3 }),
    headSize: fc.integer({ min: 1, max: 5 }),
    valueSize: fc.integer({ min: 1, max: 5 }),
  });

  function makeLatent(shape: LatentShape, tokens: number, queries: number, seed: number) {
    const random = createRandom(seed);
    const { modelSize, rank, ropeSize, heads: count, headSize, valueSize } = shape;
    const weights: LatentWeights = {
      shape,
      down: normals(random, modelSize * rank, 0.5),
      upKey: normals(random, rank * count * headSize),
      upValue: normals(random, rank * count * valueSize),
      ropeKey: normals(random, modelSize * ropeSize),
    };
    const hidden = normals(random, tokens * modelSize);
    const content = normals(random, count * queries * headSize);
    const rawRope = normals(random, count * queries * ropeSize);
    const rope = makeRope({ headSize: ropeSize, base: 10_000, pairing: 'interleaved' });
    return (offset: number) => {
      const positions = Array.from({ length: tokens }, (_, t) => offset + t);
      const queryPositions = Array.from(
        { length: count * queries },
        (_, i) => offset + tokens - queries + (i % queries),
      );
      return {
        weights,
        cache: compressTokens(hidden, positions, weights, rope),
        query: { queries, content, rope: applyRope(rawRope, queryPositions, rope) },
      };
    };
  }

  const sizes = [
    shapes,
    fc.integer({ min: 1, max: 10 }),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  ] as const;

  it('absorbed equals expanded, with and without a mask', () => {
    fc.assert(
      fc.property(...sizes, fc.boolean(), (shape, tokens, queries, seed, causal) => {
        const { weights, cache, query } = makeLatent(shape, tokens, queries, seed)(0);
        const isVisible = (q: number, k: number) => !causal || k <= tokens - queries + q;
        const expanded = attendExpanded(query, cache, weights, { isVisible });
        const absorbed = attendAbsorbed(query, cache, weights, { isVisible });
        expect(absorbed).toHaveLength(shape.heads);
        for (const [head, part] of expanded.entries()) expectEqual(absorbed[head]!, part, 1e-11);
      }),
      { numRuns: 200 },
    );
  });

  it('expanded equals keys and values multiplied out head by head', () => {
    fc.assert(
      fc.property(...sizes, (shape, tokens, queries, seed) => {
        const { weights, cache, query } = makeLatent(shape, tokens, queries, seed)(0);
        const { rank, ropeSize, heads: count, headSize, valueSize } = shape;
        const expanded = attendExpanded(query, cache, weights);
        const up = (matrix: ArrayLike<number>, t: number, head: number, size: number) =>
          Array.from({ length: size }, (_, d) => {
            let sum = 0;
            for (let r = 0; r < rank; r++) {
              sum += cache.latent[t * rank + r]! * matrix[r * count * size + head * size + d]!;
            }
            return sum;
          });
        for (let head = 0; head < count; head++) {
          const key = Array.from({ length: tokens }, (_, t) => [
            ...up(weights.upKey, t, head, headSize),
            ...cache.ropeKey.subarray(t * ropeSize, (t + 1) * ropeSize),
          ]).flat();
          const row = (q: number) => [
            ...query.content.slice((head * queries + q) * headSize).subarray(0, headSize),
            ...query.rope.slice((head * queries + q) * ropeSize).subarray(0, ropeSize),
          ];
          const operands = {
            queries,
            keys: tokens,
            headSize: headSize + ropeSize,
            valueSize,
            query: Array.from({ length: queries }, (_, q) => row(q)).flat(),
            key,
            value: Array.from({ length: tokens }, (_, t) =>
              up(weights.upValue, t, head, valueSize),
            ).flat(),
          };
          const expected = timesValue(weightsOf(operands), operands);
          expect(relativeError(expanded[head]!.output, expected)).toBeLessThan(1e-11);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('depends on distances only, and merges tiers of latents', () => {
    const shape = { modelSize: 6, rank: 4, ropeSize: 4, heads: 2, headSize: 3, valueSize: 3 };
    const make = makeLatent(shape, 8, 2, 11);
    const { weights, cache, query } = make(0);
    const whole = attendAbsorbed(query, cache, weights);
    const moved = make(1000);
    const shifted = attendAbsorbed(moved.query, moved.cache, weights);
    const tier = (start: number, end: number): LatentCache => ({
      tokens: end - start,
      latent: cache.latent.slice(start * 4, end * 4),
      ropeKey: cache.ropeKey.slice(start * 4, end * 4),
    });
    const far = attendAbsorbed(query, tier(0, 5), weights);
    const near = attendExpanded(query, tier(5, 8), weights);
    for (const [head, part] of whole.entries()) {
      expectEqual(shifted[head]!, part, 1e-10);
      expectEqual(mergePartials([far[head]!, near[head]!]), part, 1e-11);
    }
  });

  it('refuses tensors that do not fit', () => {
    const shape = { modelSize: 2, rank: 1, ropeSize: 2, heads: 1, headSize: 1, valueSize: 1 };
    const rope = makeRope({ headSize: 2, base: 100, pairing: 'half-split' });
    const weights = { shape, down: [1, 1], upKey: [1], upValue: [1], ropeKey: [1, 2, 3, 4] };
    const cache = compressTokens([1, 2], [0], weights, rope);
    expect([...cache.latent, ...cache.ropeKey]).toEqual([3, 7, 10]);
    expect(() => compressTokens([1, 2, 3], [0], weights, rope)).toThrow(
      'invalid hidden length: 3 (expected 2)',
    );
    const query = { queries: 1, content: [1, 2], rope: [1, 2] };
    expect(() => attendAbsorbed(query, cache, weights)).toThrow(
      'invalid content length: 2 (expected 1)',
    );
  });
});

describe('bytes per token', () => {
  it('follow the formulas and agree where the layouts coincide', () => {
    const sizes = { layers: 32, headSize: 128, bytesPerElement: 2 };
    expect(mhaBytesPerToken({ ...sizes, queryHeads: 32 })).toBe(524_288);
    expect(gqaBytesPerToken({ ...sizes, kvHeads: 8 })).toBe(131_072);
    expect(gqaBytesPerToken({ ...sizes, kvHeads: 1 })).toBe(mqaBytesPerToken(sizes));
    expect(gqaBytesPerToken({ ...sizes, kvHeads: 32 })).toBe(
      mhaBytesPerToken({ ...sizes, queryHeads: 32 }),
    );
    const latent = { rank: 512, ropeSize: 64 };
    expect(mlaBytesPerToken({ ...sizes, ...latent })).toBe(36_864);
    expect(equivalentKvHeads({ ...latent, headSize: 128 })).toBe(2.25);
    expect(() => gqaBytesPerToken({ ...sizes, kvHeads: 0 })).toThrow('invalid kvHeads: 0');
  });

  it('of a latent cache are those of the tensors that it holds', () => {
    const shape = { modelSize: 5, rank: 3, ropeSize: 4, heads: 2, headSize: 2, valueSize: 2 };
    const rope = makeRope({ headSize: 4, base: 100, pairing: 'half-split' });
    const random = createRandom(2);
    const weights = {
      shape,
      down: normals(random, 15),
      upKey: normals(random, 12),
      upValue: normals(random, 12),
      ropeKey: normals(random, 20),
    };
    const cache = compressTokens(normals(random, 35), [0, 1, 2, 3, 4, 5, 6], weights, rope);
    const bytes = mlaBytesPerToken({ layers: 1, bytesPerElement: 8, rank: 3, ropeSize: 4 });
    expect(cache.latent.byteLength + cache.ropeKey.byteLength).toBe(7 * bytes);
  });
});
