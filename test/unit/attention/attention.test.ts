import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildBlockList, countVisiblePairs } from '../../../lib/attention/block-list';
import { ATTENTION_CASES } from '../../../lib/attention/cases';
import { checkShapeLimits, findNonFinite, usefulFlops } from '../../../lib/attention/checks';
import { compareOutputs } from '../../../lib/attention/compare';
import { makeInputs } from '../../../lib/attention/inputs';
import { mapBaseSteps, mapWindow } from '../../../lib/attention/map';
import { makeProgram } from '../../../lib/attention/program';
import { attentionReference } from '../../../lib/attention/reference';
import { type AttentionParams, attentionParams } from '../../../lib/spec/kinds/attention';
import { plainMask } from './plain-mask';

const variant = fc.oneof(
  fc.constant({ type: 'dense' as const }),
  fc.constant({ type: 'causal' as const }),
  fc.record({
    type: fc.constant('sliding-window' as const),
    windowTokens: fc.integer({ min: 1, max: 90 }),
  }),
  fc.record({
    type: fc.constant('window-sinks' as const),
    windowTokens: fc.integer({ min: 1, max: 90 }),
    sinkTokens: fc.integer({ min: 1, max: 40 }),
  }),
  fc.record({
    type: fc.constant('documents' as const),
    meanDocumentTokens: fc.integer({ min: 2, max: 40 }),
    causal: fc.boolean(),
  }),
);
const params: fc.Arbitrary<AttentionParams> = fc
  .record({
    variant,
    batch: fc.integer({ min: 1, max: 2 }),
    queries: fc.integer({ min: 1, max: 80 }),
    keys: fc.integer({ min: 1, max: 80 }),
    seed: fc.integer({ min: 0, max: 1000 }),
  })
  .map(({ variant, batch, queries, keys, seed }) =>
    attentionParams.parse({
      shape: { batch, queryHeads: 2, kvHeads: 1, queries, keys, headSize: 8 },
      variant,
      seed,
    }),
  );

/** The textbook: an element-wise mask over a full score matrix, no ranges, no running maximum. */
function textbook(p: AttentionParams, batch: number, head: number, query: number) {
  const inputs = makeInputs(p);
  const { keys, headSize, queries, queryHeads } = p.shape;
  const mask = plainMask(p);
  const weights = Array.from({ length: keys }, (_, k) => {
    if (!mask(batch, query, k)) return 0;
    let dot = 0;
    for (let d = 0; d < headSize; d++) {
      const q = inputs.query[
        ((batch * queryHeads + head) * queries + query) * headSize + d
      ] as number;
      dot += q * (inputs.key[(batch * keys + k) * headSize + d] as number);
    }
    return Math.exp(dot / Math.sqrt(headSize));
  });
  const sum = weights.reduce((a, b) => a + b, 0);
  return { weights: weights.map((w) => w / sum), lse: Math.log(sum) };
}

describe('mask', () => {
  it('of the formulas equals the plain predicate of every ready-made variant', () => {
    fc.assert(
      fc.property(params, (p) => {
        const { isVisible } = makeProgram(p);
        const mask = plainMask(p);
        for (let b = 0; b < p.shape.batch; b++) {
          for (let q = 0; q < p.shape.queries; q++) {
            for (let k = 0; k < p.shape.keys; k++) {
              expect(isVisible(b, 1, q, k)).toBe(mask(b, q, k));
            }
          }
        }
      }),
    );
  });
});

describe('block list', () => {
  it('names full, partial and absent blocks as the element-wise mask does', () => {
    const size = fc.constantFrom(1, 4, 16, 32);
    fc.assert(
      fc.property(params, size, size, (p, blockQueries, blockKeys) => {
        const { shape } = p;
        const program = makeProgram(p);
        const mask = plainMask(p);
        let pairs = 0;
        for (let b = 0; b < shape.batch; b++) {
          const list = buildBlockList(program, shape, b, [0, 1], blockQueries, blockKeys);
          for (let i = 0; i < list.queryBlocks; i++) {
            const row = list.blocks.subarray(list.offsets[i], list.offsets[i + 1]);
            const full = new Set(row.subarray(0, list.fullCounts[i]));
            const any = new Set(row);
            expect(any.size).toBe(row.length);
            for (let j = 0; j < list.keyBlocks; j++) {
              let seen = 0;
              const queriesHere =
                Math.min(shape.queries, (i + 1) * blockQueries) - i * blockQueries;
              for (let q = i * blockQueries; q < i * blockQueries + queriesHere; q++) {
                for (let k = j * blockKeys; k < Math.min(shape.keys, (j + 1) * blockKeys); k++) {
                  if (mask(b, q, k)) seen++;
                }
              }
              pairs += seen;
              // Intervals may be unsure, never wrong; where a mask is one band they are sure.
              const isBand = /dense|causal|sliding/.test(p.variant.type);
              const isAll = seen === queriesHere * blockKeys;
              expect(isBand ? any.has(j) === seen > 0 : any.has(j) || seen === 0).toBe(true);
              expect(isBand ? full.has(j) === isAll : !full.has(j) || isAll).toBe(true);
            }
          }
        }
        expect(countVisiblePairs(program, shape)).toEqual({
          pairs: pairs * shape.queryHeads,
          isEstimate: false,
        });
      }),
    );
  });
});

describe('f64 reference', () => {
  it('agrees with the textbook softmax, masked rows included', () => {
    fc.assert(
      fc.property(params, (p) => {
        const inputs = makeInputs(p);
        const { output, lse } = attentionReference(inputs);
        const { queries, keys, headSize } = p.shape;
        const row = queries - 1;
        for (const q of new Set([0, Math.floor(queries / 2), row])) {
          const expected = textbook(p, 0, 1, q);
          const at = queries + q;
          expect(lse[at]).toSatisfy(
            (x: number) => x === expected.lse || Math.abs(x - expected.lse) < 1e-10,
          );
          for (let d = 0; d < headSize; d++) {
            let sum = 0;
            for (let k = 0; k < keys; k++) {
              sum += (expected.weights[k] as number) * (inputs.value[k * headSize + d] as number);
            }
            const wanted = expected.lse === -Infinity ? 0 : sum;
            expect(output[at * headSize + d]).toBeCloseTo(wanted, 9);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('compares equal to itself and finds a planted error where it is', () => {
    for (const { params: p, queryScale } of ATTENTION_CASES) {
      const inputs = makeInputs(p);
      for (let i = 0; i < inputs.query.length; i++)
        inputs.query[i] = (inputs.query[i] as number) * queryScale;
      const actual = attentionReference(inputs);
      const same = compareOutputs(inputs, actual, { maxFlops: Infinity });
      expect(same.maxAbs).toBe(0);
      expect(same.lseMaxAbs).toBe(0);
      expect(same.withinTolerance).toBe(true);
      const planted = actual.output.length - 1;
      actual.output[planted] = (actual.output[planted] as number) + 0.5;
      const wrong = compareOutputs(inputs, actual, { maxFlops: Infinity });
      expect(wrong.maxAbs).toBeCloseTo(0.5);
      expect(wrong.withinTolerance).toBe(false);
      expect(wrong.at).toEqual({
        batch: p.shape.batch - 1,
        head: p.shape.queryHeads - 1,
        query: p.shape.queries - 1,
        dim: p.shape.headSize - 1,
      });
      actual.output[planted] = Number.NaN;
      expect(compareOutputs(inputs, actual, { maxFlops: Infinity }).withinTolerance).toBe(false);
    }
  });
});

describe('synthetic inputs', () => {
  const base = {
    shape: { queryHeads: 1, kvHeads: 1, queries: 256, keys: 256, headSize: 64 },
    variant: { type: 'dense' },
  };
  const none = { bandStrength: 0, sinkStrength: 0, needleStrength: 0, inductionStrength: 0 };
  function meanScore(structure: object, pick: (q: number, k: number) => boolean): number {
    const p = attentionParams.parse({ ...base, structure: { ...none, ...structure }, seed: 3 });
    const { query, key } = makeInputs(p);
    let sum = 0;
    let count = 0;
    for (let q = 0; q < 256; q++) {
      for (let k = 0; k < 256; k++) {
        if (!pick(q, k)) continue;
        let dot = 0;
        for (let d = 0; d < 64; d++)
          dot += (query[q * 64 + d] as number) * (key[k * 64 + d] as number);
        sum += dot / 8;
        count++;
      }
    }
    return sum / count;
  }

  it('lifts each component by its strength in logits at its peak, and nothing elsewhere', () => {
    expect(meanScore({ sinkStrength: 6, sinkTokens: 48 }, (_, k) => k < 48)).toBeCloseTo(6, 0);
    expect(
      Math.abs(meanScore({ sinkStrength: 6, sinkTokens: 48 }, (_, k) => k >= 48)),
    ).toBeLessThan(0.5);
    expect(meanScore({ bandStrength: 5, bandWidthTokens: 16 }, (q, k) => q === k)).toBeCloseTo(
      5,
      0,
    );
    expect(
      meanScore({ bandStrength: 5, bandWidthTokens: 8 }, (q, k) => Math.abs(q - k) > 60),
    ).toBeLessThan(2.5);
    const induction = { inductionStrength: 5, inductionPeriodTokens: 64 };
    expect(meanScore(induction, (q, k) => q - k === 63)).toBeCloseTo(5, 0);
    expect(meanScore(induction, (q, k) => q - k === 31)).toBeLessThan(2);
  });

  it('is a function of the seed', () => {
    const p = attentionParams.parse(base);
    expect(makeInputs(p).key).toEqual(makeInputs(p).key);
    expect(makeInputs({ ...p, seed: 2 }).key).not.toEqual(makeInputs(p).key);
  });
});

describe('map', () => {
  it('has windows whose rows sum to one and a base that agrees with them', () => {
    fc.assert(
      fc.property(params, (p) => {
        const inputs = makeInputs(p);
        const { lse } = attentionReference(inputs);
        const { queries, keys } = p.shape;
        const rect = { queryStart: 0, queryEnd: queries, keyStart: 0, keyEnd: keys };
        const { probabilities } = mapWindow(inputs, lse, 0, 1, rect);
        const steps = mapBaseSteps(inputs, lse, 0, 1);
        let step = steps.next();
        while (!step.done) step = steps.next();
        // At most 512 on a side, so here every cell is one element.
        expect(step.value.max).toEqual(probabilities);
        expect(step.value.mean).toEqual(probabilities);
        for (let q = 0; q < queries; q++) {
          const row = [...probabilities.subarray(q * keys, (q + 1) * keys)].filter(
            (x) => !Number.isNaN(x),
          );
          const sum = row.reduce((a, b) => a + b, 0);
          expect(row.length === 0 ? 1 : sum).toBeCloseTo(1, 5);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('reduces larger maps by cell, exactly', () => {
    const p = attentionParams.parse({
      shape: { queryHeads: 1, kvHeads: 1, queries: 700, keys: 1100, headSize: 4 },
      variant: { type: 'sliding-window', windowTokens: 100 },
    });
    const inputs = makeInputs(p);
    const { lse } = attentionReference(inputs);
    const steps = mapBaseSteps(inputs, lse, 0, 0);
    let step = steps.next();
    while (!step.done) step = steps.next();
    const { max, mean } = step.value;
    const start = (i: number, count: number) => Math.floor((i * count) / 512);
    for (const [r, c] of [
      [0, 0],
      [100, 250],
      [256, 370],
      [511, 511],
    ] as const) {
      const rect = {
        queryStart: start(r, 700),
        queryEnd: start(r + 1, 700),
        keyStart: start(c, 1100),
        keyEnd: start(c + 1, 1100),
      };
      const cells = [...mapWindow(inputs, lse, 0, 0, rect).probabilities].filter(
        (x) => !Number.isNaN(x),
      );
      if (cells.length === 0) expect(max[r * 512 + c]).toBeNaN();
      else {
        expect(max[r * 512 + c]).toBeCloseTo(Math.max(...cells), 6);
        expect(mean[r * 512 + c]).toBeCloseTo(cells.reduce((a, b) => a + b, 0) / cells.length, 6);
      }
    }
    expect(() =>
      mapWindow(inputs, lse, 0, 0, {
        queryStart: 0,
        queryEnd: 701,
        keyStart: 0,
        keyEnd: 2,
      }),
    ).toThrow(/invalid map window: queries 0\.\.701/);
  });
});

describe('checks', () => {
  it('names the first non-finite value and its place', () => {
    const inputs = makeInputs(
      attentionParams.parse({
        shape: { queryHeads: 2, kvHeads: 1, queries: 4, keys: 6, headSize: 8 },
      }),
    );
    expect(findNonFinite(inputs)).toBeUndefined();
    inputs.key[2 * 8 + 5] = Number.NaN;
    expect(findNonFinite(inputs)).toBe(
      'non-finite value NaN in key at batch 0, head 0, position 2, dim 5',
    );
  });

  it('says which tensor is above a buffer limit', () => {
    const { shape } = attentionParams.parse({
      shape: { batch: 16, queryHeads: 64, kvHeads: 64, queries: 16384, keys: 16384, headSize: 256 },
    });
    expect(checkShapeLimits(shape, 2 ** 27)[0]).toBe(
      'query needs 16384 MiB, above the limit of 128 MiB per buffer',
    );
    expect(checkShapeLimits(attentionParams.parse({}).shape, 2 ** 27)).toEqual([]);
  });

  it('counts useful work', () => {
    const p = attentionParams.parse({
      shape: { queryHeads: 4, kvHeads: 1, queries: 10, keys: 10, headSize: 8 },
    });
    expect(usefulFlops(p)).toBe(4 * 8 * 55 * 4);
  });
});
