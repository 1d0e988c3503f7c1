import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeCall } from '../../../lib/attention/recurrent/call';
import { describeCall } from '../../../lib/attention/recurrent/describe';
import {
  foldMemories,
  MEMORY_RULE,
  type MixtureInputs,
  mixOutputs,
  routeTokens,
} from '../../../lib/attention/recurrent/mixture';
import { mixtureLoad } from '../../../lib/attention/recurrent/mixture-load';
import { mixtureReference } from '../../../lib/attention/recurrent/mixture-reference';
import { recurrentReference } from '../../../lib/attention/recurrent/reference';
import { recurrentParams } from '../../../lib/spec/kinds/recurrent';

const shape = { batch: 2, heads: 2, tokens: 40, keySize: 6, valueSize: 5 };

function mixture(rule: object, more: object = {}): MixtureInputs {
  const call = makeCall(recurrentParams.parse({ shape, rule: { type: 'mom', ...rule }, ...more }));
  if (call.type !== 'mom') throw new Error(`not a mixture: ${call.type}`);
  return call.inputs;
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
}

describe('router', () => {
  it('keeps the largest of a softmax, with weights that sum to 1', () => {
    const { probabilities, weights } = routeTokens(Float32Array.of(0, 2, 1, 5, 5, 5), 3, 2);
    expect([...weights.subarray(0, 3)].map((each) => each > 0)).toEqual([false, true, true]);
    expect(weights[1]! / weights[2]!).toBeCloseTo(Math.E, 5);
    expect([...weights.subarray(3)]).toEqual([0.5, 0.5, 0]);
    expect([...probabilities.subarray(3)].every((each) => Math.abs(each - 1 / 3) < 1e-6)).toBe(
      true,
    );
  });

  it('refuses more memories than there are', () => {
    expect(() => routeTokens(new Float32Array(3), 3, 4)).toThrow('invalid topK: 4 (expected 1..3)');
    const issues = recurrentParams.safeParse({ rule: { type: 'mom', memories: 2, topK: 3 } });
    expect(issues.error?.issues[0]).toMatchObject({ path: ['rule', 'topK'] });
  });
});

describe('mixture', () => {
  it('of one memory is the gated delta rule', () => {
    const plain = makeCall(recurrentParams.parse({ shape, rule: { type: 'gated-delta' } }));
    if (plain.type !== 'state') throw new Error('not a state');
    const alone = mixtureReference(mixture({ memories: 1, topK: 1 }));
    const expected = recurrentReference(plain.inputs, MEMORY_RULE);
    expect(largestDifference(alone.output, expected.output)).toBe(0);
    expect(largestDifference(alone.state, expected.state)).toBe(0);
  });

  it('folded into batches with closed gates equals tokens gathered per memory', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.nat({ max: 4 }),
        fc.boolean(),
        fc.nat({ max: 1000 }),
        (memories, k, hasShared, seed) => {
          const inputs = mixture(
            { memories, topK: 1 + (k % memories), hasShared, routerBias: 1 },
            { seed },
          );
          const folded = recurrentReference(foldMemories(inputs), MEMORY_RULE);
          const expected = mixtureReference(inputs);
          expect(
            largestDifference(mixOutputs(inputs, folded.output), expected.output),
          ).toBeLessThan(1e-12);
          expect(largestDifference(folded.state, expected.state)).toBeLessThan(1e-12);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('leaves a memory that no token is routed to empty', () => {
    const inputs = mixture({ memories: 3, topK: 1 });
    const logits = Float32Array.from({ length: 2 * 40 * 3 }, (_, i) => (i % 3 === 1 ? 9 : 0));
    const { state } = mixtureReference({ ...inputs, routing: routeTokens(logits, 3, 1) });
    const size = 2 * 6 * 5;
    const used = [0, 1, 2].map((m) =>
      state.subarray(m * size, (m + 1) * size).some((each) => each !== 0),
    );
    expect(used).toEqual([false, true, false]);
  });

  it('adds the shared memory with weight 1', () => {
    const rule = { memories: 2, topK: 2, hasShared: true };
    const inputs = mixture(rule);
    const shared = recurrentReference(inputs.memories[2]!, MEMORY_RULE).output;
    const { hasShared, ...without } = rule;
    const rest = mixtureReference(mixture(without)).output;
    const whole = mixtureReference(inputs).output;
    expect(
      largestDifference(
        whole,
        rest.map((each, i) => each + shared[i]!),
      ),
    ).toBeLessThan(1e-12);
  });
});

describe('load', () => {
  it('counts every write once, and shows a biased router', () => {
    const even = mixtureLoad(mixture({ memories: 4, topK: 2 }));
    expect(even.writes.reduce((a, b) => a + b, 0)).toBe(2 * 80);
    expect(even.stretches.every((each) => each.length === 40)).toBe(true);
    expect(even.stretches.map((each) => each[7]!).reduce((a, b) => a + b, 0)).toBe(2);
    const biased = mixtureLoad(mixture({ memories: 4, topK: 2, routerBias: 3 }));
    expect(biased.balance).toBeGreaterThan(even.balance);
    expect(biased.peak).toBeGreaterThan(even.peak);
    const alone = mixtureLoad(mixture({ memories: 1, topK: 1 }));
    expect(alone.balance).toBeCloseTo(1, 12);
    expect(alone.peak).toBe(1);
  });

  it('of a cell comes with bytes of all memories, and recall above one memory', () => {
    const params = recurrentParams.parse({
      shape: { ...shape, keySize: 16 },
      rule: { type: 'mom', memories: 4, topK: 1, hasShared: true },
    });
    const described = describeCall(params, makeCall(params));
    expect(described.memory.stateBytes).toBe(5 * 2 * 2 * 16 * 5 * 4);
    expect(described.load!.writes).toHaveLength(4);
    const one = recurrentParams.parse({
      shape: { ...shape, keySize: 16 },
      rule: { type: 'gated-delta' },
    });
    const alone = describeCall(one, makeCall(one)).recall;
    expect(described.recall!.errors.at(-1)!).toBeLessThan(alone!.errors.at(-1)!);
    expect(described.recall!.overwriteError).toBeLessThan(1e-6);
  });
});
