import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { readSiblingFile } from '../../../lib/cli/run/sibling-file';
import {
  layRecall,
  meanWithInterval,
  recallSample,
  trainedPairsOf,
} from '../../../lib/evaluate/recall-gap';
import type { RecallGapResult } from '../../../lib/evaluate/recall-gap-result';
import { createRandom } from '../../../lib/random/random';
import { createRecallGapJob } from '../../../lib/run/recall-gap-job';
import { decodeResult, encodeResult } from '../../../lib/run/result-json';
import { recallGapParams } from '../../../lib/spec/kinds/recall-gap';
import { MOST_ROW_TOKENS, SIBLING_STAGES } from '../../../lib/tasks/sibling-mix';
import { BAR, BOS } from '../../../lib/tasks/vocabulary';

const signal = new AbortController().signal;
const ignore = () => undefined;
const job = createRecallGapJob(readSiblingFile);

describe('rows of the recall gap', () => {
  it('hold every pair as often as it is read, and every answer after its key', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 64 }),
        fc.integer({ min: 1, max: 32 }),
        fc.nat(1000),
        fc.constantFrom<1 | 2>(1, 2),
        fc.constantFrom<'last' | 'first'>('last', 'first'),
        (pairs, questions, seed, reads, order) => {
          const sample = recallSample(pairs, { seed, questions }, 3);
          const { tokens, promptTokens, answers } = layRecall(sample, reads, order);
          const asked = Math.min(pairs, questions);
          const before = order === 'first' ? 1 + asked : 0;
          expect(promptTokens).toBe(1 + before + 2 * pairs * reads);
          expect(tokens).toHaveLength(promptTokens + 1 + 2 * asked);
          expect([tokens[0], tokens[promptTokens]]).toEqual([BOS, BAR]);
          const stated = tokens.slice(1 + before, promptTokens);
          expect(stated.slice(0, 2 * pairs)).toEqual(stated.slice(-2 * pairs));
          for (const { at, token } of answers) {
            expect(tokens[at + 1]).toBe(token);
            expect(stated[stated.indexOf(tokens[at]!) + 1]).toBe(token);
          }
          expect(new Set(answers.map(({ at }) => tokens[at])).size).toBe(asked);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are the same for the same seed and others for another', () => {
    const of = (seed: number, index: number) => recallSample(8, { seed, questions: 4 }, index);
    expect(of(7, 0)).toEqual(of(7, 0));
    expect(of(7, 0)).not.toEqual(of(7, 1));
    expect(of(7, 0)).not.toEqual(of(8, 0));
  });

  it('know the longest row of training', () => {
    expect(SIBLING_STAGES.at(-1)?.rowTokens).toBe(MOST_ROW_TOKENS);
    const { context, turns } = SIBLING_STAGES.at(-1)!.sample(createRandom(1));
    expect(context.length + 1 + 2 * turns.length).toBeLessThanOrEqual(MOST_ROW_TOKENS);
  });
});

describe('the pairs of training', () => {
  it('are the most whose row is as long as one of training', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 32 }),
        fc.constantFrom<1 | 2>(1, 2),
        fc.constantFrom<'last' | 'first'>('last', 'first'),
        (questions, reads, order) => {
          const most = trainedPairsOf(reads, { questions, order });
          const length = (pairs: number) =>
            layRecall(recallSample(pairs, { seed: 1, questions }, 0), reads, order).tokens.length;
          expect(length(most)).toBeLessThanOrEqual(MOST_ROW_TOKENS);
          expect(most === 32 || length(most + 1) > MOST_ROW_TOKENS).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('the recall-gap job', () => {
  it('shows the gap: softmax recalls what linear attention of the same size does not', async () => {
    const params = recallGapParams.parse({
      models: ['softmax', 'linear'],
      pairs: [32, 16, 16],
      samples: 6,
    });
    const result = await job(params, signal, ignore);
    const [softmax, linear] = result.curves;
    // Points come once each, in order.
    expect(softmax?.points.map(({ pairs }) => pairs)).toEqual([16, 32]);
    for (const [i, point] of softmax!.points.entries()) {
      expect(point.accuracy.total).toBe(6 * 8);
      expect(point.accuracy.share).toBeGreaterThan(0.95);
      expect(linear!.points[i]!.accuracy.high).toBeLessThan(point.accuracy.low);
      expect(point.isExtrapolated).toBe(false);
      expect(point.gain).toBeUndefined();
    }
    const bytes = (curve: typeof softmax) => curve!.points.map(({ stateBytes }) => stateBytes);
    expect(bytes(softmax)[1]).toBe(2 * 2 * 65 * 64 * 4);
    expect(bytes(linear)[0]).toBe(bytes(linear)[1]);
    expect(decodeResult(JSON.parse(JSON.stringify(encodeResult(result))))).toEqual(result);
  }, 60_000);

  it('reads twice over the same contexts, and marks rows longer than in training', async () => {
    const params = recallGapParams.parse({
      models: ['gated-delta'],
      pairs: [4, 32, 33],
      samples: 2,
      readTwice: true,
    });
    const { curves } = await job(params, signal, ignore);
    expect(curves.map(({ reads }) => reads)).toEqual([1, 2]);
    expect(curves.map(({ trainedPairs }) => trainedPairs)).toEqual([32, 28]);
    const [once, twice] = curves.map(({ points }) => points);
    for (const [i, point] of twice!.entries()) {
      expect(point.promptTokens).toBe(2 * once![i]!.promptTokens - 1);
      expect(point.gain?.mean).toBeCloseTo(point.accuracy.share - once![i]!.accuracy.share, 12);
    }
    expect(once!.map(({ isExtrapolated }) => isExtrapolated)).toEqual([false, false, true]);
    expect(twice!.map(({ isExtrapolated }) => isExtrapolated)).toEqual([false, true, true]);
  }, 60_000);

  it('stops when cancelled', async () => {
    const controller = new AbortController();
    const running = job(recallGapParams.parse({}), controller.signal, () => controller.abort());
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('says which file is missing', async () => {
    const broken = createRecallGapJob(() => Promise.reject(new Error('no such file: x')));
    await expect(broken(recallGapParams.parse({}), signal, ignore)).rejects.toThrow('no such file');
  });
});

describe('the interval of a mean', () => {
  it('holds the mean, and the whole range for one value', () => {
    expect(meanWithInterval([0.5])).toEqual({ mean: 0.5, low: -1, high: 1 });
    const { mean, low, high } = meanWithInterval([0, 1, 0, 1]);
    expect(mean).toBe(0.5);
    // s^2 = 1/3, se = sqrt(1/12).
    expect(high).toBe(1);
    expect(low).toBeCloseTo(0.5 - 1.959963984540054 * Math.sqrt(1 / 12), 9);
  });
});

it('tells curves as they come, each point with the contexts that it has', async () => {
  let clock = 0;
  const now = vi.spyOn(performance, 'now').mockImplementation(() => (clock += 1000));
  const parts: RecallGapResult[] = [];
  const params = recallGapParams.parse({
    pairs: [4, 8],
    samples: 3,
    questions: 2,
    readTwice: true,
  });
  const whole = await job(params, signal, ({ partial }) => {
    if (partial?.kind === 'recall-gap') parts.push(partial.value);
  });
  now.mockRestore();
  const answers = ({ curves }: RecallGapResult) =>
    curves.flatMap(({ points }) => points).reduce((sum, { accuracy }) => sum + accuracy.total, 0);
  const grown = parts.map(answers);
  expect(grown[0]).toBeGreaterThan(0);
  expect(grown).toEqual([...grown].sort((a, b) => a - b));
  expect(grown.at(-1)).toBe(answers(whole));
  expect(parts.at(-1)?.curves).toEqual(whole.curves);
  for (const { curves } of parts) {
    for (const { points } of curves) {
      for (const { accuracy } of points) expect(accuracy.low).toBeLessThanOrEqual(accuracy.share);
    }
  }
});
