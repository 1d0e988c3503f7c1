import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attentionMaps } from '../../../lib/evaluate/attention-maps';
import { evaluate } from '../../../lib/evaluate/evaluate';
import { measureGates, tasksBehind } from '../../../lib/evaluate/gates';
import { probeHeads } from '../../../lib/evaluate/head-probes';
import {
  attentionEntropyNats,
  duplicateTokenMass,
  inductionMass,
  previousTokenMass,
  retrievalScore,
  sinkMass,
  windowMass,
} from '../../../lib/evaluate/probes';
import { WORDS } from '../../../lib/tasks/vocabulary';
import { randomModel, randomTokens, SMALL } from '../cache/random-model';
import { readerSessions } from './reader-session';

/** A map whose queries attend to the keys that a rule names, in equal parts; to the first where none. */
function mapOf(count: number, keysOf: (query: number) => readonly number[]): Float32Array {
  const map = new Float32Array(count * count);
  for (let i = 0; i < count; i++) {
    const keys = keysOf(i).filter((j) => j >= 0 && j <= i);
    for (const j of keys.length > 0 ? keys : [0]) map[i * count + j] = 1 / Math.max(1, keys.length);
  }
  return map;
}

describe('probes of heads made by hand', () => {
  const K = 5;
  const tokens = [99, ...Array.from({ length: 4 * K }, (_, i) => i % K)];
  const n = tokens.length;

  test('a sink, a previous-token head, and an even one', () => {
    const sink = mapOf(n, () => [0]);
    expect(sinkMass(sink, n)).toBe(1);
    expect(previousTokenMass(sink, n)).toBe(0);
    expect(attentionEntropyNats(sink, n)).toBe(0);
    const previous = mapOf(n, (i) => [i - 1]);
    expect(previousTokenMass(previous, n)).toBe(1);
    expect(sinkMass(previous, n)).toBeCloseTo(1 / (n - 1), 12);
    expect(windowMass(previous, n, 2)).toBe(1);
    expect(windowMass(previous, n, 1)).toBe(0);
    const even = mapOf(4, (i) => Array.from({ length: i + 1 }, (_, j) => j));
    expect(attentionEntropyNats(even, 4)).toBeCloseTo(
      (Math.log(2) + Math.log(3) + Math.log(4)) / 3,
      6,
    );
    expect(sinkMass(even, 4)).toBeCloseTo((1 / 2 + 1 / 3 + 1 / 4) / 3, 6);
  });

  test('induction and echo, by the last repeat or all before', () => {
    const induction = mapOf(n, (i) => [i - K + 1].filter((j) => j > 1));
    expect(inductionMass(induction, tokens)).toBe(1);
    expect(duplicateTokenMass(induction, tokens)).toBe(0);
    const spread = mapOf(n, (i) => [i - K + 1, i - 2 * K + 1].filter((j) => j > 1));
    expect(inductionMass(spread, tokens)).toBeCloseTo(1, 6);
    const echo = mapOf(n, (i) => [i - K].filter((j) => j > 0));
    expect(duplicateTokenMass(echo, tokens)).toBe(1);
    expect(inductionMass(echo, tokens)).toBe(0);
    expect(inductionMass(echo, [1, 2, 3])).toBeNaN();
  });

  test('retrieval counts the queries that look into the evidence', () => {
    const map = mapOf(n, (i) => [i === n - 1 ? 7 : 3]);
    expect(retrievalScore(map, n, [n - 2, n - 1], [[6, 9]])).toBe(0.5);
    expect(retrievalScore(map, n, [n - 1], [[7, 8]])).toBe(1);
    expect(retrievalScore(map, n, [n - 1], [[8, 9]])).toBe(0);
  });
});

test('maps of a model are rows of weights that sum to 1 and see nothing later', () => {
  const model = randomModel(5);
  const tokens = randomTokens(2, 12);
  const maps = attentionMaps(model, tokens);
  fc.assert(
    fc.property(fc.nat(2), fc.nat(3), fc.nat(11), (layer, head, query) => {
      const row = maps.map(layer, head).subarray(query * 12, (query + 1) * 12);
      expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
      expect(row.subarray(query + 1).every((weight) => weight === 0)).toBe(true);
    }),
  );
  expect(() => maps.map(3, 0)).toThrow('invalid head: 3.0 (expected 0..2.0..3)');
});

test('gates pass by their bars, and a model of random weights has no induction head', async () => {
  const model = randomModel(3, { ...SMALL, vocabularySize: WORDS.length });
  const report = (keeps: boolean) =>
    measureGates(model, { contextTokens: 64, samples: 20, seed: 1 }, (plan) =>
      evaluate({ model, factory: readerSessions(() => keeps), plan }),
    );
  const { gates, heads, sinkMass: sink } = await report(true);
  expect(gates.map(({ id, passes, count }) => [id, passes, count])).toEqual([
    ['passkey', true, 20],
    ['multi-key', true, 20],
    ['two-hop', true, 20],
    ['induction', false, 8],
  ]);
  expect(tasksBehind(gates).map(({ id }) => id)).toContain('variable-tracking');
  expect(tasksBehind(gates).map(({ id }) => id)).not.toContain('mqar');
  expect(heads.length).toBe(12);
  expect(sink.largest).toBeGreaterThanOrEqual(sink.mean);
  expect(heads).toEqual(probeHeads(model, { seed: 1 }));
  expect((await report(false)).gates.slice(0, 3).map(({ passes }) => passes)).toEqual([
    false,
    false,
    false,
  ]);
});
