import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rawTensors } from '../../../lib/attention/compose/encode-heads';
import { latentReference } from '../../../lib/attention/compose/latent-rows';
import { makeLatent } from '../../../lib/attention/compose/latent-tensors';
import { COMPOSE_PRESETS, presetParams } from '../../../lib/attention/compose/presets';
import { rowReference } from '../../../lib/attention/compose/row-reference';
import { decodeCall } from '../../../lib/attention/decode/call';
import { storeTensor } from '../../../lib/attention/decode/stored';
import { callReference, makeCall } from '../../../lib/attention/recurrent/call';
import { attentionReference } from '../../../lib/attention/reference';
import { runSteps } from '../../../lib/attention/steps';
import { composeWeightSteps } from '../../../lib/attention/weights/compose-weights';
import { decodeWeightSteps } from '../../../lib/attention/weights/decode-weights';
import {
  callWeights,
  prefixKeys,
  recurrentWeights,
} from '../../../lib/attention/weights/recurrent-weights';
import { weightBaseSteps, weightWindow } from '../../../lib/attention/weights/reduce';
import type { WeightMatrix } from '../../../lib/attention/weights/types';
import { type ComposeParams, composeParams } from '../../../lib/spec/kinds/compose';
import { decodeParams } from '../../../lib/spec/kinds/decode';
import { recurrentParams } from '../../../lib/spec/kinds/recurrent';
import { sum } from './compose-run';

/** One row of a matrix times values [keys, size]; keys that are not seen count for nothing. */
function apply(matrix: WeightMatrix, query: number, value: ArrayLike<number>): Float64Array {
  const { keys } = matrix;
  const size = value.length / keys;
  const row = new Float64Array(keys);
  matrix.fillRow(query, 0, keys, row);
  const out = new Float64Array(size);
  row.forEach((weight, k) => {
    if (Number.isNaN(weight)) return;
    for (let d = 0; d < size; d++) out[d] = out[d]! + weight * value[k * size + d]!;
  });
  return out;
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) {
  expect(actual.length).toBe(expected.length);
  let most = 0;
  for (let i = 0; i < expected.length; i++) {
    most = Math.max(most, Math.abs(actual[i]! - expected[i]!));
  }
  expect(most).toBeLessThan(tolerance);
}

const shape = { batch: 2, queryHeads: 4, kvHeads: 2, queries: 21, keys: 33, headSize: 16 };
const composition = (more: object) =>
  composeParams.parse({ shape, engine: 'cpu', timedRuns: 1, ...more });

describe('a composition as one matrix', () => {
  const gates = Float64Array.of(1, 0.25);
  function expectLaw(params: ComposeParams) {
    const { queryHeads, kvHeads, queries, keys, headSize, batch: batches } = params.shape;
    const raw = rawTensors(params);
    const matrices = runSteps(composeWeightSteps(params, gates));
    const reference = rowReference(params, raw, gates);
    for (let b = 0; b < batches; b++) {
      for (let h = 0; h < queryHeads; h++) {
        const at = (b * kvHeads + Math.floor((h * kvHeads) / queryHeads)) * keys * headSize;
        const value = raw.value.subarray(at, at + keys * headSize);
        for (let q = 0; q < queries; q++) {
          expectClose(apply(matrices(b, h), q, value), reference(b, h, q), 2e-4);
        }
      }
    }
  }

  const presets = COMPOSE_PRESETS.filter(
    (each) => presetParams(each, composition({})).rule.type !== 'latent',
  );
  it.each(presets.map((each) => [each.id, each] as const))(
    '%s: weights times V = output',
    (_, preset) => {
      const sized = { ...shape, queries: 9, keys: 200 };
      expectLaw(composeParams.parse({ ...presetParams(preset, composition({})), shape: sized }));
    },
  );

  it('of a merge whatever its window, temperature, scale and sink', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 33 }),
        fc.double({ min: 0.3, max: 3, noNaN: true }),
        fc.double({ min: 0.3, max: 3, noNaN: true }),
        fc.constantFrom({ type: 'none' }, { type: 'off-by-one' }, { type: 'logit', logit: 1.5 }),
        (windowTokens, temperature, lseScale, sink) => {
          const older = {
            type: 'formula',
            mask: ['q', 'k', '-', 'window', '>='],
            numbers: [{ name: 'window', value: windowTokens, min: 0, max: 100 }],
          };
          expectLaw(
            composition({
              shape: { ...shape, batch: 1, queries: 9 },
              parts: [
                { name: 'recent', variant: { type: 'sliding-window', windowTokens } },
                { name: 'older', variant: older, temperature, lseScale },
              ],
              sink,
            }),
          );
        },
      ),
      { numRuns: 25 },
    );
  });

  it('rows of a merge sum to 1, and to less where a sink takes its share', () => {
    const rowSum = (more: object) => {
      const matrix = runSteps(composeWeightSteps(composition(more), undefined))(1, 2);
      const row = new Float64Array(33);
      matrix.fillRow(20, 0, 33, row);
      return sum(row.filter((each) => !Number.isNaN(each)));
    };
    expect(rowSum({})).toBeCloseTo(1, 10);
    expect(rowSum({ sink: { type: 'logit', logit: 6 } })).toBeLessThan(0.98);
  });

  it('a difference is signed, and a head whose gate is 0 sees only the second part', () => {
    const two = [
      { name: 'full', variant: { type: 'causal' } },
      { name: 'near', variant: { type: 'sliding-window', windowTokens: 4 } },
    ];
    const difference = composition({ parts: two, rule: { type: 'difference', lambda: 0.8 } });
    const matrix = runSteps(composeWeightSteps(difference, undefined))(0, 0);
    const row = new Float64Array(33);
    matrix.fillRow(20, 0, 33, row);
    expect(matrix.isSigned).toBe(true);
    expect(row.some((each) => each < 0)).toBe(true);
    const gated = composition({ parts: two, rule: { type: 'gate' } });
    runSteps(composeWeightSteps(gated, [0, 0]))(0, 0).fillRow(20, 0, 33, row);
    expect([...row].filter((each) => !Number.isNaN(each))).toHaveLength(4);
  });

  it('latent attention: weights times the values written out = output', () => {
    const latent = { type: 'latent', modelSize: 24, rank: 12, ropeSize: 8 } as const;
    const params = composition({
      rule: latent,
      parts: [{ name: 'all', variant: { type: 'causal' }, temperature: 0.7 }],
      encoding: { type: 'rope' },
      sink: { type: 'off-by-one' },
    });
    const tensors = makeLatent(params, latent);
    const queries = Array.from({ length: 21 }, (_, q) => q);
    const reference = latentReference(params, tensors, queries, params.parts[0]!.variant, false);
    const matrices = runSteps(composeWeightSteps(params, undefined));
    const { upValue } = tensors.weights;
    for (const [b, h] of [
      [0, 0],
      [1, 3],
    ] as const) {
      const value = Float64Array.from({ length: 33 * 16 }, (_, i) => {
        let each = 0;
        for (let r = 0; r < 12; r++) {
          const latents = tensors.caches[b]!.latent;
          each += latents[Math.floor(i / 16) * 12 + r]! * upValue[(r * 4 + h) * 16 + (i % 16)]!;
        }
        return each;
      });
      for (const q of queries)
        expectClose(apply(matrices(b, h), q, value), reference(b, h, q), 2e-4);
    }
  });
});

describe('a decode step as one matrix per sequence', () => {
  const decode = (more: object) =>
    decodeParams.parse({
      shape: { batch: 2, queryHeads: 4, kvHeads: 2, queries: 3, keys: 40, headSize: 16 },
      ...more,
    });

  it.each([0, 1, 2])('storage %i: weights times the stored values = output', (storage) => {
    const params = decode({
      storages: [
        { name: 'f16', key: { type: 'f16' } },
        { name: 'int4', key: { type: 'quantised', bits: 4 } },
      ],
    });
    const { inputs } = decodeCall(params);
    const stored = params.storages[storage - 1]?.key ?? { type: 'f32' };
    const size = { heads: 4, rows: 40, columns: 16 };
    const key = runSteps(storeTensor(inputs.key, size, stored)).values;
    const { output } = attentionReference({ ...inputs, key });
    const matrices = runSteps(decodeWeightSteps(params, storage));
    for (let row = 0; row < 2 * 12; row++) {
      const [b, of] = [Math.floor(row / 12), row % 12];
      const at = (b * 2 + Math.floor(of / 6)) * 40 * 16;
      const value = inputs.value.subarray(at, at + 40 * 16);
      expectClose(apply(matrices(b, 0), of, value), output.subarray(row * 16, row * 16 + 16), 1e-5);
    }
  });

  it('sees nothing past the end of a shorter sequence', () => {
    const params = decode({
      layout: { type: 'paged', lengths: 'ragged' },
      storages: [{ name: 'f32' }],
      seed: 3,
    });
    const length = decodeCall(params).pages!.lengths[1]!;
    expect(length).toBeLessThan(40);
    const window = weightWindow(runSteps(decodeWeightSteps(params, 1))(1, 0), {
      queryStart: 0,
      queryEnd: 12,
      keyStart: 2,
      keyEnd: 40,
    });
    const last = [...window.probabilities.subarray(11 * 38)];
    expect(last.findIndex(Number.isNaN)).toBe(length - 2);
    expect(last.slice(length - 2).every(Number.isNaN)).toBe(true);
  });

  it('refuses a storage that the cell has not', () => {
    expect(() => runSteps(decodeWeightSteps(decode({}), 3))).toThrow(
      'invalid storage: 3 (expected 0..2)',
    );
  });
});

describe('a recurrence as a matrix', () => {
  const rules = [
    { type: 'additive', normalise: true },
    { type: 'additive', normalise: false },
    { type: 'retnet' },
    { type: 'gated', normalise: true },
    { type: 'gated', normalise: false },
    { type: 'ssd' },
    { type: 'delta' },
    { type: 'gated-delta' },
    { type: 'prefix-linear', normalise: true, prefixTokens: 5 },
    { type: 'prefix-linear', normalise: false, prefixTokens: 30 },
    { type: 'lmu', thetaTokens: 9 },
  ] as const;
  const featureMaps = ['identity', 'relu', 'softmax'] as const;

  it('times the values is what the recurrence puts out', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...rules),
        fc.constantFrom(...featureMaps),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 999 }),
        (rule, featureMap, tokens, convolutionWidth, seed) => {
          const params = recurrentParams.parse({
            shape: { batch: 2, heads: 3, tokens, keySize: 6, valueSize: 5 },
            rule,
            featureMap: rule.type === 'lmu' ? 'identity' : featureMap,
            convolutionWidth,
            seed,
          });
          const call = makeCall(params);
          if (call.type !== 'state' && call.type !== 'lmu') throw new Error(call.type);
          const { output } = callReference(call);
          const prefix = prefixKeys(params.rule);
          const prefixValue = call.type === 'state' ? call.inputs.prefixValue : undefined;
          const matrices = callWeights(call);
          for (const [b, h] of [
            [0, 0],
            [1, 2],
          ] as const) {
            const row = b * 3 + h;
            const value = [
              ...(prefixValue?.subarray(row * prefix * 5, (row + 1) * prefix * 5) ?? []),
              ...call.inputs.value.subarray(row * tokens * 5, (row + 1) * tokens * 5),
            ];
            for (let t = 0; t < tokens; t++) {
              const at = (row * tokens + t) * 5;
              const expected = output.subarray(at, at + 5);
              const scale = Math.max(1, ...expected.map(Math.abs));
              expectClose(apply(matrices(b, h), t, value), expected, 1e-9 * scale);
            }
          }
        },
      ),
      { numRuns: 120 },
    );
  });

  it('of a mixture gives its output where all memories keep the same values', () => {
    const params = recurrentParams.parse({
      shape: { batch: 2, heads: 2, tokens: 30, keySize: 6, valueSize: 4 },
      rule: { type: 'mom', memories: 4, topK: 2, hasShared: true },
    });
    const call = makeCall(params);
    if (call.type !== 'mom') throw new Error(call.type);
    const { value } = call.inputs.memories[0]!;
    const memories = call.inputs.memories.map((each) => ({ ...each, value }));
    const same = { ...call, inputs: { ...call.inputs, memories } };
    const { output } = callReference(same);
    const matrix = callWeights(same)(1, 1);
    for (let t = 0; t < 30; t++) {
      const at = (3 * 30 + t) * 4;
      const values = value.subarray(3 * 30 * 4, 4 * 30 * 4);
      expectClose(apply(matrix, t, values), output.subarray(at, at + 4), 1e-9);
    }
  });

  it('a delta rule with write strength 1 forgets what an equal key wrote before', () => {
    const params = recurrentParams.parse({
      shape: { batch: 1, heads: 1, tokens: 3, keySize: 4, valueSize: 4 },
      rule: { type: 'delta' },
    });
    const call = makeCall(params);
    if (call.type !== 'state') throw new Error(call.type);
    const key = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0);
    const query = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0);
    const inputs = { ...call.inputs, key, query, writeStrength: Float32Array.of(1, 1, 1) };
    const rowOf = (rule: 'delta' | 'additive') => {
      const of = rule === 'delta' ? { type: rule } : { type: rule, normalise: false };
      const row = new Float64Array(3);
      callWeights({ type: 'state', rule: of as { type: 'delta' }, inputs })(0, 0).fillRow(
        2,
        0,
        3,
        row,
      );
      return [...row].map((each) => each + 0);
    };
    expect(rowOf('delta')).toEqual([0, 1, 0]);
    expect(rowOf('additive')).toEqual([1, 1, 0]);
  });

  it('has none for test-time training, and says why', () => {
    const params = recurrentParams.parse({ rule: { type: 'lact' } });
    expect(() => recurrentWeights(params)).toThrow('rule lact reads the weights of an MLP');
  });
});

describe('maps of a matrix', () => {
  it('a window is the rows that it asks for, whatever was read before', () => {
    const params = composition({});
    const whole = runSteps(composeWeightSteps(params, undefined))(1, 3);
    const all = weightWindow(whole, { queryStart: 0, queryEnd: 21, keyStart: 0, keyEnd: 33 });
    fc.assert(
      fc.property(fc.nat(20), fc.nat(20), fc.nat(32), fc.nat(32), (q0, q1, k0, k1) => {
        const rect = {
          queryStart: Math.min(q0, q1),
          queryEnd: Math.max(q0, q1) + 1,
          keyStart: Math.min(k0, k1),
          keyEnd: Math.max(k0, k1) + 1,
        };
        const { probabilities } = weightWindow(whole, rect);
        const columns = rect.keyEnd - rect.keyStart;
        probabilities.forEach((p, i) => {
          const at =
            (rect.queryStart + Math.floor(i / columns)) * 33 + rect.keyStart + (i % columns);
          expect(p).toBe(all.probabilities[at]);
        });
      }),
      { numRuns: 40 },
    );
    expect(() =>
      weightWindow(whole, { queryStart: 0, queryEnd: 22, keyStart: 0, keyEnd: 33 }),
    ).toThrow('invalid map window: queries 0..22, keys 0..33');
  });

  it('cells of a base hold the weight of largest magnitude with its sign, and the mean', () => {
    const matrix: WeightMatrix = {
      queries: 1024,
      keys: 1024,
      isSigned: true,
      fillRow(query, _start, _end, out) {
        out.fill(Number.NaN);
        for (let k = 0; k <= query; k++) out[k] = query % 2 === 0 ? 0.25 : -0.5;
      },
    };
    const { rows, columns, max, mean } = runSteps(weightBaseSteps(matrix));
    expect([rows, columns]).toEqual([512, 512]);
    expect(max[5 * 512 + 2]).toBe(-0.5);
    expect(mean[5 * 512 + 2]).toBe(-0.125);
    expect(max[5 * 512 + 6]).toBeNaN();
    // The diagonal's cell has three elements: one of the even row, two of the odd one.
    expect(mean[5 * 512 + 5]).toBeCloseTo((0.25 - 1) / 3, 6);
  });
});
