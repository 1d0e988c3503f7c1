import { describe, expect, it, test } from 'vitest';
import { stateInputs } from '../../../lib/attention/recurrent/call';
import { STATE_RULES } from '../../../lib/attention/recurrent/cases';
import { recallCurve, sharesOf } from '../../../lib/attention/recurrent/recall';
import { recurrentReference } from '../../../lib/attention/recurrent/reference';
import type { StateRule } from '../../../lib/attention/recurrent/types';
import { runRecurrentOnCpu } from '../../../lib/gpu/run-recurrent-on-cpu';
import { runRecurrentOnWasm } from '../../../lib/gpu/run-recurrent-on-wasm';
import { recurrentParams } from '../../../lib/spec/kinds/recurrent';

const { signal } = new AbortController();

describe('recall', () => {
  it('shows that a delta rule overwrites a key and the additive rule cannot', () => {
    expect(recallCurve({ type: 'delta' }, 32, 1).overwriteError).toBeLessThan(1e-6);
    expect(recallCurve({ type: 'gated-delta' }, 32, 1).overwriteError).toBeLessThan(1e-6);
    // What is read is the sum of both values: off by the first, which is as long as the second.
    expect(recallCurve({ type: 'additive', normalise: true }, 32, 1).overwriteError).toBeCloseTo(
      1,
      5,
    );
  });

  it('tells how much of the old value a key still answers with', () => {
    const shares = (rule: StateRule) => recallCurve(rule, 32, 1).overwriteShares!;
    expect(shares({ type: 'delta' }).first).toBeCloseTo(0, 6);
    expect(shares({ type: 'delta' }).second).toBeCloseTo(1, 6);
    expect(shares({ type: 'additive', normalise: false }).first).toBeCloseTo(1, 6);
    expect(shares({ type: 'additive', normalise: false }).second).toBeCloseTo(1, 6);
    // One head: two tokens after it was written, the second value one, at 1 - 1 / 32 a token.
    const retnet = shares({ type: 'retnet' });
    expect(retnet.first).toBeCloseTo((31 / 32) ** 2, 5);
    expect(retnet.second).toBeCloseTo(31 / 32, 5);
  });

  it('shares are the coefficients of any mix of two values, parallel ones as the second', () => {
    const [a, b] = [Float64Array.of(1, 2, 0), Float64Array.of(0.5, -1, 3)];
    const mix = a.map((x, i) => 0.25 * x - 2 * b[i]!);
    expect(sharesOf(mix, a, b).first).toBeCloseTo(0.25, 12);
    expect(sharesOf(mix, a, b).second).toBeCloseTo(-2, 12);
    expect(sharesOf(a, a, a)).toEqual({ first: 0, second: 1 });
  });

  it('gets worse with the pairs, and holds more under the delta rule', () => {
    const additive = recallCurve({ type: 'additive', normalise: false }, 64, 2);
    const delta = recallCurve({ type: 'delta' }, 64, 2);
    expect(additive.pairs).toEqual([4, 8, 16, 32, 48, 64, 96, 128]);
    for (const [i, error] of additive.errors.entries()) {
      // Cross-talk of n - 1 random unit keys in d dimensions: sqrt((n - 1) / d).
      const expected = Math.sqrt(((additive.pairs[i] as number) - 1) / 64);
      if ((additive.pairs[i] as number) >= 16) {
        expect(Math.abs(error / expected - 1)).toBeLessThan(0.2);
      }
      if (i > 0 && (additive.pairs[i] as number) <= 64) expect(delta.errors[i]).toBeLessThan(error);
    }
  });

  test.each(STATE_RULES)('is finite for %s', (_, rule) => {
    const { errors, overwriteError } = recallCurve(rule, 16, 3);
    expect([...errors, overwriteError].every(Number.isFinite)).toBe(true);
    expect(errors[0]).toBeLessThan(1);
  });
});

describe('a recurrent call', () => {
  test.each(STATE_RULES)('runs on the CPU with its memory and recall: %s', async (_, rule) => {
    const params = recurrentParams.parse({ shape: { tokens: 70, heads: 2, keySize: 16 }, rule });
    const result = await runRecurrentOnCpu(params, 'a reason', signal, () => undefined);
    expect(result).toMatchObject({ engine: 'cpu', engineNote: 'a reason', error: undefined });
    expect(result.memory.kvBytes).toBe(2 * 70 * (16 + 64) * 4);
    expect(result.memory.stateBytes).toBeGreaterThanOrEqual(2 * 16 * 64 * 4);
    expect(result.timing.flops).toBeGreaterThan(0);
  });

  const rules = [...STATE_RULES, ['mom', { type: 'mom', memories: 3, topK: 2 }]] as const;
  test.each(rules)('runs in WebAssembly and equals the reference: %s', async (_, rule) => {
    const params = recurrentParams.parse({
      shape: { tokens: 70, heads: 2, keySize: 16 },
      rule,
      timedRuns: 3,
    });
    const result = await runRecurrentOnWasm(params, undefined, 'why', signal, () => undefined);
    expect(result).toMatchObject({
      engine: 'wasm',
      engineNote: 'why',
      error: { withinTolerance: true },
    });
    expect(result.timing.samplesSeconds).toHaveLength(3);
    expect(result.roofPlace!.attainableGigaflopsPerSecond).toBeGreaterThan(0);
    expect(result.percentOfCopyRoof).toBeGreaterThan(0);
  });

  it('stops in WebAssembly when aborted, and refuses rules without a kernel there', async () => {
    const run = (given: object, options: AbortSignal) =>
      runRecurrentOnWasm(recurrentParams.parse(given), undefined, undefined, options, () => {});
    const controller = new AbortController();
    const running = run({ shape: { tokens: 64 }, rule: { type: 'ssd' } }, controller.signal);
    controller.abort();
    await expect(running).rejects.toThrow('abort');
    await expect(run({ rule: { type: 'lmu' } }, signal)).rejects.toThrow(
      'rule lmu has no WebAssembly kernel',
    );
  });

  it('keeps delta keys of unit length through convolution and feature map', () => {
    const params = recurrentParams.parse({
      shape: { tokens: 50, keySize: 8 },
      rule: { type: 'delta' },
      featureMap: 'taylor',
      convolutionWidth: 3,
    });
    const inputs = stateInputs(params, { type: 'delta' }, params.seed);
    expect(inputs.shape.keySize).toBe(1 + 8 + 64);
    for (let row = 0; row < 50; row++) {
      const key = inputs.key.subarray(row * 73, (row + 1) * 73);
      expect(Math.hypot(...key)).toBeCloseTo(1, 5);
    }
    expect(recurrentReference(inputs, { type: 'delta' }).output.every(Number.isFinite)).toBe(true);
  });

  it('maps keys and queries last, so that a normaliser stays positive after a convolution', () => {
    const rules = [
      { type: 'additive', normalise: true },
      { type: 'gated', normalise: true },
      { type: 'prefix-linear', normalise: true, prefixTokens: 9 },
    ] as const;
    for (const rule of rules) {
      for (const featureMap of ['identity', 'elu+1', 'softmax'] as const) {
        const params = recurrentParams.parse({
          shape: { tokens: 60, keySize: 6 },
          rule,
          featureMap,
          convolutionWidth: 4,
        });
        const { query, key, prefixKey } = stateInputs(params, rule, 3);
        for (const each of [query, key, ...(prefixKey ? [prefixKey] : [])]) {
          expect(each.every((x) => x > 0)).toBe(true);
        }
      }
    }
  });

  it('takes the chosen map of what was drawn, not of its elu + 1', () => {
    const rule = { type: 'additive', normalise: true } as const;
    const made = (featureMap: string) =>
      stateInputs(recurrentParams.parse({ shape: { keySize: 4 }, rule, featureMap }), rule, 1);
    const relu = made('relu').key;
    // Half of what a normal distribution draws is below 0.
    const zeros = relu.filter((x) => x === 0).length / relu.length;
    expect(zeros).toBeGreaterThan(0.4);
    expect(zeros).toBeLessThan(0.6);
    expect(made('identity').key).toEqual(made('elu+1').key);
    // Taylor's constant, and a linear part of either sign.
    const taylor = made('taylor').key;
    expect([taylor[0], taylor[21]]).toEqual([1, 1]);
    expect(taylor.some((x) => x < 0)).toBe(true);
  });

  it('refuses Taylor features that fit no kernel', () => {
    const parse = (keySize: number, type: string) =>
      recurrentParams.safeParse({ shape: { keySize }, rule: { type }, featureMap: 'taylor' });
    expect(parse(16, 'delta').success).toBe(false);
    expect(parse(8, 'gated').success).toBe(false);
    expect(parse(8, 'delta').success).toBe(true);
  });
});
