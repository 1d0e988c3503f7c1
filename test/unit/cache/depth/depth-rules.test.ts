import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitPredictor } from '../../../../lib/cache/depth/predicted-kv';
import { applyMap, explainedVariance, fitRidge } from '../../../../lib/cache/depth/ridge';
import { mergeDuplicates, tempCacheSession } from '../../../../lib/cache/depth/temp-cache';
import { createRowCache } from '../../../../lib/cache/rows/row-cache';
import {
  averagePool,
  poolBeforeWindow,
  windowAttention,
} from '../../../../lib/cache/rows/window-attention';
import { createRandom } from '../../../../lib/random/random';
import { attendRow } from '../../../../lib/transformer/attend';
import { ropeOf } from '../../../../lib/transformer/reference';
import type { AttendedRows } from '../../../../lib/transformer/types';
import { largestDifference, tinyModel, tinyText } from '../../speculate/tiny-model';

describe('the score of FastKV', () => {
  it('is the attention that the model itself pays, summed over window and group', () => {
    const model = tinyModel(3);
    const rows = createRowCache(model.config);
    const seen: AttendedRows[] = [];
    const text = tinyText(3, 12);
    let queries = new Float32Array(0);
    model.forward({
      tokens: text,
      positions: text.map((_, i) => i),
      cache: { ...rows, observe: (attended) => seen.push(attended) },
      logits: 'none',
      hooks: {
        onProjected(layer, projected) {
          if (layer === 1) queries = projected.queries.slice(9 * 16);
        },
      },
    });
    const window = { rows: 3, queries, positions: Int32Array.of(9, 10, 11) };
    const rope = ropeOf(model.config);
    const scores = windowAttention(model.config, rope, window, 1, rows.head(1, 1));
    const { weights } = seen.find(({ layer, kvHead }) => layer === 1 && kvHead === 1)!;
    const wanted = new Float64Array(12);
    for (let row = 9; row < 12; row++) {
      for (let head = 0; head < 2; head++) {
        for (let slot = 0; slot < 12; slot++) {
          wanted[slot] = wanted[slot]! + weights[(row * 2 + head) * 12 + slot]!;
        }
      }
    }
    expect(largestDifference(scores, wanted)).toBeLessThan(1e-5);
  });

  it('is smoothed over neighbours, with zeros beyond the ends', () => {
    expect([...averagePool(Float64Array.of(3, 0, 0, 6), 3)]).toEqual([1, 1, 2, 2]);
    expect([...averagePool(Float64Array.of(3, 1), 1)]).toEqual([3, 1]);
    expect(() => averagePool(Float64Array.of(1), 2)).toThrow('invalid kernel: 2');
    // A window that looks at itself does not lift the tokens before it.
    const scores = Float64Array.of(3, 0, 0, 9, 9);
    expect([...poolBeforeWindow(scores, 2, 3)]).toEqual([1, 1, 0, 9, 9]);
    expect([...poolBeforeWindow(scores, 9, 3)]).toEqual([...scores]);
  });
});

describe('closed-form maps', () => {
  it('finds a line', () => {
    // y = 2 x - 1
    const map = fitRidge(Float32Array.of(0, 1, 2, 3), Float32Array.of(-1, 1, 3, 5), 4, 0);
    expect(map.weight[0]).toBeCloseTo(2, 5);
    expect(map.bias[0]).toBeCloseTo(-1, 5);
    // Centred squares sum to 5; a penalty of 1 x 5 halves the slope: mean 1.5 goes to mean 2.
    const shrunk = fitRidge(Float32Array.of(0, 1, 2, 3), Float32Array.of(-1, 1, 3, 5), 4, 1);
    expect(shrunk.weight[0]).toBeCloseTo(1, 5);
    expect(shrunk.bias[0]).toBeCloseTo(0.5, 5);
  });

  it('recovers a linear law and says how much it explains', () => {
    const random = createRandom(4);
    const x = Float32Array.from({ length: 60 * 5 }, () => random.normal());
    const law = { inputs: 5, outputs: 3, weight: x.slice(0, 15), bias: x.slice(15, 18) };
    const y = applyMap(law, x);
    const map = fitRidge(x, y, 60, 0);
    expect(largestDifference(map.weight, law.weight)).toBeLessThan(1e-4);
    expect(explainedVariance(y, applyMap(map, x), 60)).toBeCloseTo(1, 6);
    expect(explainedVariance(Float32Array.of(0, 2), Float32Array.of(1, 1), 2)).toBe(0);
  });

  it('predicts an upper layer better from the layer below it than from the first', () => {
    const model = tinyModel(2);
    const samples = [1, 2, 3, 4, 5, 6].map((seed) => tinyText(seed, 40));
    const near = fitPredictor(model, samples, { source: 'hidden', runLayers: 2 }).layers[0]!;
    const far = fitPredictor(model, samples, { source: 'hidden', runLayers: 1 }).layers[1]!;
    expect(near.layer).toBe(2);
    // The entry of layer 2 is what its keys are projected from: a linear law.
    expect(near.keysExplained).toBeGreaterThan(0.999);
    expect(far.layer).toBe(2);
    expect(far.keysExplained).toBeLessThan(near.keysExplained - 0.05);
    const maps = fitPredictor(tinyModel(2, { layers: 4 }), samples, {
      source: 'keys and values',
      runLayers: 2,
    });
    expect(maps.layers.map(({ layer, from }) => [layer, from])).toEqual([
      [2, 0],
      [3, 1],
    ]);
    expect(() => fitPredictor(model, [], { source: 'hidden', runLayers: 2 })).toThrow(
      'invalid samples: none',
    );
  });
});

describe('the lemma of TempCache', () => {
  const head = (keys: number[], values: number[]) => ({
    rotated: Float32Array.from(keys),
    values: Float32Array.from(values),
    positions: Int32Array.from(values, (_, i) => i),
  });

  it('equal keys with the log of their number are exact, and without it biased', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 2, maxLength: 20 }),
        fc.integer({ min: 0, max: 1e6 }),
        (which, seed) => {
          const random = createRandom(seed);
          const kinds = Array.from({ length: 4 }, () => [random.normal(), random.normal()]);
          const values = Array.from({ length: which.length * 2 }, () => random.normal());
          const rows = {
            rotated: Float32Array.from(which.flatMap((kind) => kinds[kind]!)),
            values: Float32Array.from(values),
            positions: Int32Array.from(which, (_, i) => i),
          };
          const merged = mergeDuplicates(rows, which.length, 2, 1);
          expect(merged.sizes).toHaveLength(new Set(which).size);
          const query = Float32Array.of(random.normal(), random.normal());
          const attend = (part: Parameters<typeof attendRow>[4][number]) =>
            attendRow(query, 1, 2, 99, [part], false).output;
          const dense = attend({ count: which.length, keys: rows.rotated, ...rows });
          const { sizes, ...slots } = merged;
          const whole = { count: sizes.length, ...slots, logMultiplicity: sizes.map(Math.log) };
          expect(largestDifference(attend(whole), dense)).toBeLessThan(1e-5);
        },
      ),
    );
    const merged = mergeDuplicates(head([0, 0, 0, 1], [4, 1, 1, 8]), 4, 1, 1);
    expect([...merged.sizes]).toEqual([3, 1]);
    expect([...merged.values]).toEqual([2, 8]);
    const biased = attendRow(Float32Array.of(0), 1, 1, 9, [{ count: 2, ...merged }], false);
    // (2 + 8) / 2 instead of (4 + 1 + 1 + 8) / 4.
    expect(biased.output[0]).toBe(5);
  });

  it('joins near keys to the first of their group, not along a chain', () => {
    const turn = (degrees: number) => {
      const angle = (degrees * Math.PI) / 180;
      return [Math.cos(angle), Math.sin(angle)];
    };
    const keys = [0, 20, 40].flatMap(turn);
    const rows = { ...head(keys, [1, 1, 1]), values: new Float32Array(6) };
    // cos 25 degrees: 20 joins 0, 40 is 40 away from 0.
    const merged = mergeDuplicates(rows, 3, 2, Math.cos((25 * Math.PI) / 180));
    expect([...merged.sizes]).toEqual([2, 1]);
    expect([...merged.first]).toEqual([0, 2]);
    expect([...merged.positions]).toEqual([1, 2]);
  });

  it('holds fewer slots on a stream that repeats, and says how many tokens each stands for', () => {
    const model = tinyModel(5);
    const session = tempCacheSession({ threshold: 0.5 }).open(model);
    session.prefill([1, ...Array.from({ length: 40 }, (_, i) => 3 + (i % 4))]);
    const slots = session.slots(0, 0);
    expect(slots.length).toBeLessThan(41);
    expect(slots.reduce((sum, { multiplicity }) => sum + multiplicity, 0)).toBe(41);
    expect(session.ledger().slots[0]![0]).toBe(slots.length);
    expect(session.dropped(0, 0)).toEqual([]);
  });
});
