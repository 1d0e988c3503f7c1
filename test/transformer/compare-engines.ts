import { referenceTransformer } from '../../lib/transformer/reference';
import type { ForwardResult, ForwardStep, Transformer } from '../../lib/transformer/types';
import type { TransformerCase } from './cases';
import { randomTokens, randomWeights } from './random-model';
import { createTestCache, type TestCache } from './test-cache';

/** The largest difference between two engines over all that a case gives. */
export interface EngineDifference {
  readonly logits: number;
  readonly hidden: number;
  readonly weights: number;
  readonly queries: number;
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) throw new Error(`lengths differ: ${a.length} and ${b.length}`);
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

type Forward = (step: ForwardStep) => ForwardResult | Promise<ForwardResult>;

interface CaseRun {
  readonly results: readonly ForwardResult[];
  readonly cache: TestCache;
}

async function runCase(forward: Forward, one: TransformerCase): Promise<CaseRun> {
  const cache = createTestCache(one.config, one.cache);
  const { hiddenSize } = one.config;
  let at = 0;
  const results: ForwardResult[] = [];
  for (const [chunk, rows] of one.chunks.entries()) {
    const tokens = randomTokens(one.config, rows, 10 + chunk);
    const positions = tokens.map((_, i) => at + i);
    at += rows;
    const hidden = Float32Array.from({ length: rows * hiddenSize }, (_, i) => Math.sin(i + chunk));
    const step = { tokens, positions, cache, ...one.step, ...(one.givesHidden ? { hidden } : {}) };
    results.push(await forward(step));
  }
  return { results, cache };
}

/**
 * Runs a case on an engine and on the reference, with the same seeded weights.
 *
 * @throws Error where they differ in anything that is no rounded number: lengths, rows, order of calls
 */
export async function compareEngines(
  one: TransformerCase,
  create: (model: Pick<Transformer, 'config' | 'weights'>) => Forward | Promise<Forward>,
): Promise<EngineDifference> {
  const weights = randomWeights(one.config, 3);
  const expected = await runCase(referenceTransformer(one.config, weights).forward, one);
  const actual = await runCase(await create({ config: one.config, weights }), one);
  const difference = { logits: 0, hidden: 0, weights: 0, queries: 0 };
  const note = (name: keyof EngineDifference, a: Float32Array, b: Float32Array) => {
    const found = largestDifference(a, b);
    if (!(found <= difference[name])) difference[name] = found;
  };
  const same = (what: string, a: unknown, b: unknown) => {
    const [first, second] = [JSON.stringify(a), JSON.stringify(b)];
    if (first !== second) throw new Error(`${what} differ: ${first} and ${second}`);
  };
  expected.results.forEach((result, chunk) => {
    const other = actual.results[chunk]!;
    note('logits', result.logits, other.logits);
    note('hidden', result.hidden, other.hidden);
    same('rows', [...result.rows], [...other.rows]);
  });
  same('calls of observe', expected.cache.observed.length, actual.cache.observed.length);
  expected.cache.observed.forEach((seen, i) => {
    const other = actual.cache.observed[i]!;
    const plain = ({ layer, kvHead, part, rows, count }: typeof seen) => [
      ...[layer, kvHead, part, rows, count],
    ];
    same('observed', [plain(seen), [...seen.positions]], [plain(other), [...other.positions]]);
    note('weights', seen.weights, other.weights);
  });
  same('queries', expected.cache.asked.length, actual.cache.asked.length);
  expected.cache.asked.forEach((query, i) => {
    same('positions', query.position, actual.cache.asked[i]!.position);
    note('queries', query.queries, actual.cache.asked[i]!.queries);
  });
  return difference;
}
