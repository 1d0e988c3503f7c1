import { describe, expect, test } from 'vitest';
import { reduceRows } from '../../../lib/cache/policy/reduce';
import type { WindowWeights } from '../../../lib/cache/policy/window-attention';

/** Uniform causal attention of the queries at some positions over as many slots. */
function uniformAttention(slots: number, queries: readonly number[]): WindowWeights {
  const weights = new Float32Array(queries.length * slots);
  const visible = new Int32Array(slots);
  queries.forEach((position, row) => {
    weights.fill(1 / (position + 1), row * slots, row * slots + position + 1);
    for (let slot = 0; slot <= position; slot++) visible[slot] = visible[slot]! + 1;
  });
  return { rows: queries.length, group: 1, slots, weights, visible };
}

const all = Array.from({ length: 40 }, (_, i) => i);
const scores = (queries: readonly number[], perVisible: boolean) =>
  reduceRows(uniformAttention(40, queries), { type: 'sum' }, perVisible)[0]!;

describe('saliency of 40 tokens that are all alike', () => {
  test('summed over all queries favours age: 4.28 for the first, 0.025 for the last', () => {
    const sums = scores(all, false);
    expect(sums[0]).toBeCloseTo(4.2785, 4);
    expect(sums[39]).toBeCloseTo(0.025, 6);
  });

  test('divided by the queries that see a slot most of the bias is gone', () => {
    const normalised = scores(all, true);
    expect(normalised[0]).toBeCloseTo(4.2785 / 40, 5);
    expect(normalised[39]).toBeCloseTo(0.025, 6);
  });

  test("ZipCache's trap: probe sums divided by the count of all queries bring a bias back", () => {
    const probes = [36, 37, 38, 39];
    const byProbes = scores(probes, true);
    expect(byProbes[0]).toBeCloseTo(byProbes[30]!, 8);
    // As the published code divides: by the tokens after a slot, seen by a probe or not.
    const byAll = scores(probes, false).map((sum, slot) => sum / (40 - slot));
    expect(byAll[30]! / byAll[0]!).toBeCloseTo(4, 5);
  });
});
