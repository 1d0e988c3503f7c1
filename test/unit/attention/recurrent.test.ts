import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { RECURRENT_CASES, STATE_RULES } from '../../../lib/attention/recurrent/cases';
import { chunkedReference, inverseUnitLower } from '../../../lib/attention/recurrent/chunked';
import { makeRecurrentInputs } from '../../../lib/attention/recurrent/inputs';
import { recurrentReference } from '../../../lib/attention/recurrent/reference';
import { retentionDecay } from '../../../lib/attention/recurrent/rule';
import type { RecurrentInputs, StateRule } from '../../../lib/attention/recurrent/types';
import { largestDifference, rules, seeds, shapes } from './recurrent-shapes';

function expectClose(
  a: { output: ArrayLike<number>; state: ArrayLike<number> },
  b: { output: ArrayLike<number>; state: ArrayLike<number> },
  tolerance = 1e-10,
) {
  expect(largestDifference(a.output, b.output)).toBeLessThan(tolerance);
  expect(largestDifference(a.state, b.state)).toBeLessThan(tolerance);
}

/** Tokens [start, end) of every tensor of inputs with one row of batch x heads. */
function tokensOf(inputs: RecurrentInputs, start: number, end: number): RecurrentInputs {
  const cut = (tensor: Float32Array | undefined) => {
    if (tensor === undefined) return undefined;
    const size = tensor.length / inputs.shape.tokens;
    return tensor.subarray(start * size, end * size);
  };
  return {
    ...inputs,
    shape: { ...inputs.shape, tokens: end - start },
    query: cut(inputs.query)!,
    key: cut(inputs.key)!,
    value: cut(inputs.value)!,
    decay: cut(inputs.decay),
    writeStrength: cut(inputs.writeStrength),
  };
}

describe('chunk form', () => {
  test.each(STATE_RULES)('%s: equals the recurrence for every chunk size', (_, rule) => {
    fc.assert(
      fc.property(shapes, seeds, fc.integer({ min: 1, max: 40 }), (shape, seed, chunkTokens) => {
        const inputs = makeRecurrentInputs(shape, rule, seed);
        expectClose(chunkedReference(inputs, rule, chunkTokens), recurrentReference(inputs, rule));
      }),
      { numRuns: 40 },
    );
  });

  test.each(STATE_RULES)('%s: equals the recurrence on the kernel table', (_, rule) => {
    for (const { shape } of RECURRENT_CASES) {
      const inputs = makeRecurrentInputs(shape, rule, 3);
      expectClose(chunkedReference(inputs, rule, 16), recurrentReference(inputs, rule), 1e-9);
    }
  });

  test.each(STATE_RULES)(
    '%s: equals the recurrence after 65,536 tokens',
    { timeout: 60_000 },
    (_, rule) => {
      const shape = { batch: 1, heads: 1, tokens: 65_536, keySize: 3, valueSize: 2 };
      const inputs = makeRecurrentInputs(shape, rule, 4);
      const whole = recurrentReference(inputs, rule);
      const most = whole.output.reduce((a, b) => Math.max(a, Math.abs(b)), 1);
      // 13 does not divide the length.
      expectClose(chunkedReference(inputs, rule, 13), whole, 1e-10 * most);
    },
  );

  test.each(STATE_RULES)(
    '%s: equals the recurrence with gates of 0 and 1 among others',
    (_, rule) => {
      const ends = fc.constantFrom(0, 1, undefined);
      fc.assert(
        fc.property(
          shapes,
          seeds,
          fc.integer({ min: 1, max: 40 }),
          fc.array(ends, { minLength: 1, maxLength: 9 }),
          (shape, seed, chunkTokens, gates) => {
            const made = makeRecurrentInputs(shape, rule, seed);
            const changed = (tensor: Float32Array | undefined) =>
              tensor?.map((each, i) => gates[i % gates.length] ?? each);
            const inputs = {
              ...made,
              decay: changed(made.decay),
              writeStrength: changed(made.writeStrength),
            };
            expectClose(
              chunkedReference(inputs, rule, chunkTokens),
              recurrentReference(inputs, rule),
            );
          },
        ),
        { numRuns: 30 },
      );
    },
  );

  it('survives decays of exactly 0, which forget everything before', () => {
    for (const type of ['ssd', 'gated-delta'] as const) {
      const shape = { batch: 1, heads: 1, tokens: 9, keySize: 4, valueSize: 3 };
      const made = makeRecurrentInputs(shape, { type }, 5);
      const inputs = { ...made, decay: made.decay!.map((a, t) => (t === 6 ? 0 : a)) };
      const whole = recurrentReference(inputs, { type });
      expectClose(chunkedReference(inputs, { type }, 4), whole);
      const tail = recurrentReference(tokensOf(inputs, 6, 9), { type });
      expect(largestDifference(tail.state, whole.state)).toBeLessThan(1e-12);
    }
  });

  it('inverts unit lower-triangular systems', () => {
    const a = [0, 0, 0, 2, 0, 0, -1, 3, 0];
    const inverse = inverseUnitLower(3, (i, j) => a[i * 3 + j]!);
    expect([...inverse]).toEqual([1, 0, 0, -2, 1, 0, 7, -3, 1]);
  });
});

describe('recurrence', () => {
  it('goes on from a carried state as if it had not stopped', () => {
    fc.assert(
      fc.property(
        rules,
        seeds,
        fc.integer({ min: 2, max: 30 }),
        fc.nat(),
        (rule, seed, tokens, at) => {
          const shape = { batch: 1, heads: 1, tokens, keySize: 5, valueSize: 3 };
          const inputs = makeRecurrentInputs(shape, rule, seed);
          const cut = 1 + (at % (tokens - 1));
          const whole = recurrentReference(inputs, rule);
          const before = recurrentReference(tokensOf(inputs, 0, cut), rule);
          // The prefix is in the carried state already.
          const rest: StateRule =
            rule.type === 'prefix-linear' ? { ...rule, prefixTokens: 0 } : rule;
          const after = recurrentReference(tokensOf(inputs, cut, tokens), rest, before.state);
          expectClose({ output: [...before.output, ...after.output], state: after.state }, whole);
        },
      ),
    );
  });

  it('is causal: later tokens do not change earlier outputs', () => {
    fc.assert(
      fc.property(rules, seeds, (rule, seed) => {
        const shape = { batch: 1, heads: 1, tokens: 12, keySize: 4, valueSize: 4 };
        const inputs = makeRecurrentInputs(shape, rule, seed);
        const early = recurrentReference(tokensOf(inputs, 0, 7), rule).output;
        const whole = recurrentReference(inputs, rule).output;
        expect([...whole.subarray(0, early.length)]).toEqual([...early]);
      }),
    );
  });

  it('without decay and delta is the prefix sum of v k^T', () => {
    const rule = { type: 'ssd' } as const;
    const shape = { batch: 2, heads: 2, tokens: 19, keySize: 3, valueSize: 5 };
    const made = makeRecurrentInputs(shape, rule, 11);
    const inputs = { ...made, decay: made.decay!.fill(1) };
    const { output, state } = recurrentReference(inputs, rule);
    for (let row = 0; row < 4; row++) {
      const sum = new Float64Array(15);
      for (let t = row * 19; t < (row + 1) * 19; t++) {
        for (let i = 0; i < 15; i++) {
          sum[i]! += made.value[t * 5 + Math.floor(i / 3)]! * made.key[t * 3 + (i % 3)]!;
        }
        for (let r = 0; r < 5; r++) {
          let dot = 0;
          for (let c = 0; c < 3; c++) dot += sum[r * 3 + c]! * made.query[t * 3 + c]!;
          expect(output[t * 5 + r]).toBeCloseTo(dot, 12);
        }
      }
      expect(largestDifference(state.subarray(row * 15, (row + 1) * 15), sum)).toBeLessThan(1e-12);
    }
    expectClose(recurrentReference(inputs, { type: 'additive', normalise: false }), {
      output,
      state,
    });
  });

  it('normalised weights over a constant value give that value', () => {
    fc.assert(
      fc.property(seeds, fc.constantFrom('additive', 'gated'), (seed, type) => {
        const rule = { type, normalise: true } as StateRule;
        const shape = { batch: 1, heads: 2, tokens: 23, keySize: 6, valueSize: 2 };
        const made = makeRecurrentInputs(shape, rule, seed);
        const { output } = recurrentReference({ ...made, value: made.value.fill(2.5) }, rule);
        for (const each of output) expect(each).toBeCloseTo(2.5, 10);
      }),
    );
  });

  it('an empty normaliser gives 0, not NaN', () => {
    const rule = { type: 'additive', normalise: true } as const;
    const shape = { batch: 1, heads: 1, tokens: 2, keySize: 2, valueSize: 2 };
    const made = makeRecurrentInputs(shape, rule, 1);
    const { output } = recurrentReference({ ...made, key: new Float32Array(4) }, rule);
    expect([...output]).toEqual([0, 0, 0, 0]);
  });

  it('retnet equals its parallel form, (Q K^T o D) V with D_ij = gamma^(i - j)', () => {
    const shape = { batch: 2, heads: 3, tokens: 31, keySize: 4, valueSize: 6 };
    const inputs = makeRecurrentInputs(shape, { type: 'retnet' }, 2);
    const { output } = recurrentReference(inputs, { type: 'retnet' });
    expect([0, 1, 2].map(retentionDecay)).toEqual([1 - 1 / 32, 1 - 1 / 64, 1 - 1 / 128]);
    for (let row = 0; row < 6; row++) {
      const gamma = 1 - 2 ** (-5 - (row % 3));
      for (let i = 0; i < 31; i++) {
        const expected = new Float64Array(6);
        for (let j = 0; j <= i; j++) {
          let dot = 0;
          for (let c = 0; c < 4; c++) {
            dot += inputs.query[(row * 31 + i) * 4 + c]! * inputs.key[(row * 31 + j) * 4 + c]!;
          }
          for (let r = 0; r < 6; r++) {
            expected[r]! += dot * gamma ** (i - j) * inputs.value[(row * 31 + j) * 6 + r]!;
          }
        }
        const at = (row * 31 + i) * 6;
        expect(largestDifference(output.subarray(at, at + 6), expected)).toBeLessThan(1e-12);
      }
    }
  });

  it('gated with one decay for all channels equals ssd', () => {
    const shape = { batch: 1, heads: 2, tokens: 17, keySize: 4, valueSize: 4 };
    const ssd = makeRecurrentInputs(shape, { type: 'ssd' }, 9);
    const decay = Float32Array.from({ length: 2 * 17 * 4 }, (_, i) => ssd.decay![i >> 2]!);
    expectClose(
      recurrentReference({ ...ssd, decay }, { type: 'gated', normalise: false }),
      recurrentReference(ssd, { type: 'ssd' }),
    );
  });
});

describe('delta rules', () => {
  /** Writes v1 and then v2 under one key of unit length, at full strength, and reads the key. */
  function overwrite(rule: StateRule, seed: number) {
    const shape = { batch: 1, heads: 1, tokens: 2, keySize: 8, valueSize: 4 };
    const made = makeRecurrentInputs(shape, { type: 'gated-delta' }, seed);
    const key = Float32Array.from([...made.key.subarray(0, 8), ...made.key.subarray(0, 8)]);
    const inputs = {
      ...made,
      key,
      query: key,
      decay: new Float32Array([1, 1]),
      writeStrength: new Float32Array([1, 1]),
    };
    const { output } = recurrentReference(inputs, rule);
    return largestDifference(output.subarray(4), made.value.subarray(4));
  }

  it('overwrite a key; the additive rule cannot', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        expect(overwrite({ type: 'delta' }, seed)).toBeLessThan(1e-6);
        expect(overwrite({ type: 'gated-delta' }, seed)).toBeLessThan(1e-6);
        const shape = { batch: 1, heads: 1, tokens: 2, keySize: 8, valueSize: 4 };
        const { value } = makeRecurrentInputs(shape, { type: 'delta' }, seed);
        const old = largestDifference(value.subarray(0, 4), new Float32Array(4));
        expect(overwrite({ type: 'additive', normalise: false }, seed)).toBeCloseTo(old, 5);
      }),
    );
  });

  it('gated delta with decay 1 is the delta rule, with strength 0 only decays', () => {
    fc.assert(
      fc.property(shapes, seeds, (shape, seed) => {
        const made = makeRecurrentInputs(shape, { type: 'gated-delta' }, seed);
        expectClose(
          recurrentReference({ ...made, decay: made.decay!.fill(1) }, { type: 'gated-delta' }),
          recurrentReference(made, { type: 'delta' }),
          1e-14,
        );
        const start = new Float64Array(
          shape.batch * shape.heads * shape.valueSize * shape.keySize,
        ).fill(1);
        const idle = {
          ...made,
          writeStrength: made.writeStrength!.fill(0),
          decay: made.decay!.fill(0.5),
        };
        const { state } = recurrentReference(idle, { type: 'gated-delta' }, start);
        for (const each of state) expect(each).toBeCloseTo(0.5 ** shape.tokens, 12);
      }),
      { numRuns: 30 },
    );
  });

  it('remembers as many orthogonal keys as there are channels', () => {
    const shape = { batch: 1, heads: 1, tokens: 8, keySize: 8, valueSize: 3 };
    const made = makeRecurrentInputs(shape, { type: 'delta' }, 4);
    const key = Float32Array.from({ length: 64 }, (_, i) => (i % 9 === 0 ? 1 : 0));
    const { state } = recurrentReference(
      { ...made, key, writeStrength: new Float32Array(8).fill(1) },
      { type: 'delta' },
    );
    for (let t = 0; t < 8; t++) {
      for (let r = 0; r < 3; r++) expect(state[r * 8 + t]).toBe(made.value[t * 3 + r]);
    }
  });
});

describe('prefix-linear', () => {
  it('with an empty prefix is causal linear attention', () => {
    fc.assert(
      fc.property(shapes, seeds, fc.boolean(), (shape, seed, normalise) => {
        const rule = { type: 'prefix-linear', normalise, prefixTokens: 0 } as const;
        const inputs = makeRecurrentInputs(shape, rule, seed);
        expect(inputs.prefixKey).toBeUndefined();
        expectClose(
          recurrentReference(inputs, rule),
          recurrentReference(inputs, { type: 'additive', normalise }),
          1e-14,
        );
      }),
    );
  });

  it('equals additive attention over the prefix followed by the tokens', () => {
    fc.assert(
      fc.property(
        seeds,
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        (seed, prefixTokens, normalise) => {
          const rule = { type: 'prefix-linear', normalise, prefixTokens } as const;
          const shape = { batch: 1, heads: 1, tokens: 9, keySize: 5, valueSize: 3 };
          const inputs = makeRecurrentInputs(shape, rule, seed);
          const joined: RecurrentInputs = {
            ...inputs,
            shape: { ...shape, tokens: prefixTokens + 9 },
            query: Float32Array.from([...new Float32Array(prefixTokens * 5), ...inputs.query]),
            key: Float32Array.from([...inputs.prefixKey!, ...inputs.key]),
            value: Float32Array.from([...inputs.prefixValue!, ...inputs.value]),
          };
          const both = recurrentReference(joined, { type: 'additive', normalise });
          expectClose(recurrentReference(inputs, rule), {
            output: both.output.subarray(prefixTokens * 3),
            state: both.state,
          });
        },
      ),
    );
  });

  it('does not depend on the order of the prefix', () => {
    const rule = { type: 'prefix-linear', normalise: true, prefixTokens: 2 } as const;
    const shape = { batch: 1, heads: 1, tokens: 5, keySize: 2, valueSize: 2 };
    const inputs = makeRecurrentInputs(shape, rule, 8);
    const swap = (x: Float32Array) => Float32Array.of(x[2]!, x[3]!, x[0]!, x[1]!);
    const { prefixKey, prefixValue } = inputs;
    expectClose(
      recurrentReference(
        { ...inputs, prefixKey: swap(prefixKey!), prefixValue: swap(prefixValue!) },
        rule,
      ),
      recurrentReference(inputs, rule),
    );
  });
});
