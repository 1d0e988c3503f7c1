import { describe, expect, it } from 'vitest';
import { echoInduction, meanQueryGates, meanRows } from '../../../lib/cache/policy/classify';
import { expectedAttention } from '../../../lib/cache/policy/expected-attention';
import { retrievalGates } from '../../../lib/cache/policy/retrieval-gates';
import { openPolicySession } from '../../../lib/cache/policy/run';
import { probeRows } from '../../../lib/cache/policy/scorers';
import { windowAttention } from '../../../lib/cache/policy/window-attention';
import { createSlotCache } from '../../../lib/cache/slots/slot-cache';
import { createRandom } from '../../../lib/random/random';
import { type CachePolicyInput, cachePolicy } from '../../../lib/spec/cache-policy';
import { prefill } from '../../../lib/transformer/generate';
import { ropeOf, rotateInto } from '../../../lib/transformer/reference';
import { randomModel, randomTokens, SMALL } from './random-model';

const { headSize, layers, kvHeads } = SMALL;
const rope = ropeOf(SMALL);

/** A model whose queries are zero: every attention is even over what is seen. */
function evenModel() {
  const model = randomModel(41);
  for (const layer of model.weights.layers) layer.q.fill(0);
  return model;
}

describe('scorers', () => {
  it('expects the attention that Gaussian queries give on average', () => {
    const cache = createSlotCache(SMALL, { storage: 'f32' });
    prefill(randomModel(42), cache, randomTokens(43, 6), 0);
    const head = cache.head(0, 0);
    const random = createRandom(44);
    const rows = 4000;
    const data = Float32Array.from(
      { length: rows * headSize },
      (_, i) => 0.3 * random.normal() + (i % headSize === 1 ? 0.5 : 0),
    );
    const positions = Int32Array.from({ length: rows }, (_, i) => i);
    const options = { futureTokens: 1, useCovariance: true, valueNorm: false, sinkTokens: 0 };
    const scores = expectedAttention({ rows, group: 1, data, positions }, head, rope, 9, options);
    // Mean of exp(q k / sqrt(d)) over the queries themselves, rotated to the next position.
    const keys = head.rotatedKeys();
    const means = Array.from({ length: 6 }, (_, slot) => {
      const rotated = new Float32Array(headSize);
      let sum = 0;
      for (let row = 0; row < rows; row++) {
        rotateInto(data, row * headSize, 9, rope, rotated, 0);
        let dot = 0;
        for (let d = 0; d < headSize; d++) dot += rotated[d]! * keys[slot * headSize + d]!;
        sum += Math.exp(dot / Math.sqrt(headSize)) / rows;
      }
      return sum;
    });
    const total = means.reduce((sum, mean) => sum + mean, 0);
    scores[0]!.forEach((score, slot) => {
      expect(score / (means[slot]! / total)).toBeGreaterThan(0.93);
      expect(score / (means[slot]! / total)).toBeLessThan(1.07);
    });
  });

  it('weighs by the norm of the value where asked', () => {
    const cache = createSlotCache(SMALL, { storage: 'f32' });
    prefill(randomModel(42), cache, randomTokens(43, 6), 0);
    const head = cache.head(0, 0);
    const queries = {
      rows: 1,
      group: 1,
      data: new Float32Array(headSize),
      positions: Int32Array.of(5),
    };
    const options = { futureTokens: 3, useCovariance: true, valueNorm: true, sinkTokens: 0 };
    const values = head.values();
    expectedAttention(queries, head, rope, 6, options)[0]!.forEach((score, slot) => {
      const norm = Math.hypot(...values.subarray(slot * headSize, (slot + 1) * headSize));
      expect(score).toBeCloseTo(norm / 6, 5);
    });
  });

  it('keeps sinks out of the statistics and the weights, and scores them as the best', () => {
    const cache = createSlotCache(SMALL, { storage: 'f32' });
    prefill(randomModel(42), cache, randomTokens(43, 6), 0);
    const head = cache.head(0, 0);
    const random = createRandom(46);
    const data = Float32Array.from({ length: 6 * headSize }, () => random.normal());
    const queries = (outlier: number) => ({
      rows: 6,
      group: 1,
      data: data.map((x, i) => (i < 2 * headSize ? outlier : x)),
      positions: Int32Array.of(0, 1, 2, 3, 4, 5),
    });
    const options = { futureTokens: 8, useCovariance: true, valueNorm: false };
    const [mild] = expectedAttention(queries(1), head, rope, 6, { ...options, sinkTokens: 2 });
    const [wild] = expectedAttention(queries(90), head, rope, 6, { ...options, sinkTokens: 2 });
    expect([...wild!]).toEqual([...mild!]);
    expect(mild!.subarray(2).reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
    const best = Math.max(...mild!.subarray(2));
    expect([...mild!.subarray(0, 2)]).toEqual([best, best]);
    // A text of sinks alone is scored as any other.
    const [all] = expectedAttention(queries(1), head, rope, 6, { ...options, sinkTokens: 9 });
    expect(all!.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
  });

  it('looks at a window causally, and counts who sees what', () => {
    const cache = createSlotCache(SMALL, { storage: 'f32' });
    const tokens = randomTokens(45, 8);
    prefill(evenModel(), cache, tokens, 0);
    const queries = {
      rows: 2,
      group: 2,
      data: new Float32Array(2 * 2 * headSize),
      positions: Int32Array.of(4, 7),
    };
    const seen = windowAttention(queries, cache.head(1, 0), rope, (position) => position);
    expect([...seen.visible]).toEqual([2, 2, 2, 2, 2, 1, 1, 1]);
    expect([...seen.weights.subarray(0, 8)]).toEqual(
      [0.2, 0.2, 0.2, 0.2, 0.2, 0, 0, 0].map((weight) => expect.closeTo(weight)),
    );
    expect(seen.weights[31]).toBeCloseTo(1 / 8);
  });

  it('takes half of the probes from the end and draws the others', () => {
    const rows = probeRows(40, 9, 3);
    expect(rows.slice(4)).toEqual([35, 36, 37, 38, 39]);
    expect(new Set(rows).size).toBe(9);
    expect(rows).toEqual([...rows].sort((a, b) => a - b));
    expect(probeRows(3, 3, 3)).toEqual([0, 1, 2]);
  });
});

describe('the age bias of column sums', () => {
  const context = randomTokens(46, 32);
  const scoreOf = (scorer: CachePolicyInput['scorer']) => {
    const policy = cachePolicy.parse({
      budget: { type: 'tokens', tokens: 31 },
      storage: 'f32',
      scorer,
      selector: { recent: { type: 'tokens', tokens: 1 } },
    });
    const session = openPolicySession(policy, evenModel());
    session.prefill(context);
    return session.slots(1, 0).map(({ score }) => score!);
  };

  it('gives an old token of even attention more than a young one, by its age alone', () => {
    const sums = scoreOf({ type: 'attention', queries: 'all' });
    // Token 0: 1 + 1/2 + ... + 1/32; token 30, dropped, would have 1/31 + 1/32; token 31 has 1/32.
    const harmonic = (from: number) =>
      Array.from({ length: 32 }, (_, i) => (i >= from ? 1 / (i + 1) : 0)).reduce((a, b) => a + b);
    expect(sums[0]).toBeCloseTo(harmonic(0), 4);
    expect(sums[20]).toBeCloseTo(harmonic(20), 4);
    expect(sums[0]! / sums[30]!).toBeGreaterThan(100);
  });

  it('is most of it gone per query that sees the token', () => {
    const means = scoreOf({ type: 'attention', queries: 'all', perVisible: true });
    expect(means[0]! / means[30]!).toBeLessThan(5);
  });

  it('counts the probes that see a token, not all of them', () => {
    const means = scoreOf({
      type: 'attention',
      queries: 'probe',
      windowTokens: 8,
      perVisible: true,
    });
    // Token 31 is seen by the last probe only, which gives it 1/32.
    expect(means.at(-1)).toBeCloseTo(1 / 32, 5);
  });
});

describe('head classes', () => {
  it('finds even attention in heads that do not look anywhere', () => {
    const scores = echoInduction(evenModel(), { randomTokens: 8, repeats: 3, seed: 1 });
    let even = 0;
    for (let i = 8; i < 24; i++) even += 1 / (i + 1) / 16;
    for (const layer of scores) {
      for (const { echo, induction } of layer) {
        expect(echo).toBeCloseTo(even, 5);
        expect(induction).toBeCloseTo(even, 5);
      }
    }
  });

  it('finds a head that looks at the same token: its queries are its keys', () => {
    // At this base only the first pair of channels turns by anything worth speaking of.
    const model = randomModel(47, { ...SMALL, ropeTheta: 1e12 });
    const { k, q } = model.weights.layers[0]!;
    q.fill(0);
    for (const d of [1, 2, 3, 5, 6, 7]) {
      const row = k.subarray(d * SMALL.hiddenSize, (d + 1) * SMALL.hiddenSize);
      q.set(
        row.map((weight) => 10 * weight),
        d * SMALL.hiddenSize,
      );
    }
    const [first, second] = echoInduction(model, { randomTokens: 12, repeats: 3, seed: 2 })[0]!;
    expect(first!.echo).toBeGreaterThan(3 * second!.echo);
  });

  it('measures retrieval where the answer stands', () => {
    const tokens = randomTokens(50, 10);
    const gates = retrievalGates(evenModel(), [
      { tokens, evidence: [[2, 4]] },
      {
        tokens,
        evidence: [
          [5, 6],
          [8, 9],
        ],
      },
    ]);
    for (const gate of gates.flat()) expect(gate).toBeCloseTo(0.2, 5);
    const policy = cachePolicy.parse({
      budget: { type: 'tokens', tokens: 12 },
      classifier: { type: 'mean-query' },
      allocator: { type: 'classes', otherTokens: 4 },
      selector: { sinkTokens: 1, recent: { type: 'rest' } },
    });
    const given = [
      [0, 0],
      [0, 1],
      [0, 0],
    ];
    const session = openPolicySession(policy, randomModel(52), { gates: given });
    session.prefill(randomTokens(53, 40));
    expect(session.ledger().slots).toEqual([
      [7, 7],
      [6, 40],
      [6, 6],
    ]);
    expect(session.ledger().recomputedTokenLayers).toBe(0);
    expect(() => {
      openPolicySession(policy, randomModel(52), { gates: [[1]] }).prefill(randomTokens(53, 40));
    }).toThrow('invalid gates: 1 layers of 1 (expected 3 of 2)');
  });

  it('gives a head with even attention the middle gate, whatever the span', () => {
    const model = evenModel();
    const rows = meanRows(model, [randomTokens(48, 20), randomTokens(49, 12)]);
    for (const span of [10, 100]) {
      const gates = meanQueryGates(rows, SMALL, span);
      expect(gates).toHaveLength(layers);
      for (const gate of gates.flat()) expect(gate).toBeCloseTo((span + 1) / (2 * span), 6);
    }
    expect(meanQueryGates(rows, SMALL, 10)[0]).toHaveLength(kvHeads);
  });
});
