import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ADAPTIVE_PARALLEL_DEFAULTS,
  mergeAdaptiveParallel,
} from '../../../lib/attention/compose/adaptive-parallel';
import { attendPartial, softCap } from '../../../lib/attention/compose/attend-partial';
import {
  emptyPartial,
  massShares,
  mergePartials,
} from '../../../lib/attention/compose/merge-partials';
import { offByOne, withSinkLogit, withSinkLogits } from '../../../lib/attention/compose/sink-logit';
import type {
  HeadOperands,
  MergedAttention,
  PartialAttention,
} from '../../../lib/attention/compose/types';
import { assembleProgram } from '../../../lib/attention/program';
import { attentionReference } from '../../../lib/attention/reference';
import { createRandom } from '../../../lib/random/random';
import {
  expectEqual,
  heads,
  labels,
  makeHead,
  normals,
  relativeError,
  splitKeys,
  timesValue,
  weightsOf,
} from './compose-operands';

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
