import { createRandom } from '../random/random';
import type { RecallGapParams, SiblingName } from '../spec/kinds/recall-gap';
import { type ClusterTally, createClusterTally } from '../stats/tally';
import { Z_95 } from '../stats/wilson';
import { generateMqar } from '../tasks/generators/repeats';
import { MOST_PAIRS, MOST_ROW_TOKENS } from '../tasks/sibling-mix';
import type { TaskSample } from '../tasks/types';
import { BAR, BOS } from '../tasks/vocabulary';
import { argMax } from '../transformer/generate';
import type { LoadedSibling } from '../transformer/load/sibling';
import { siblingLogits, siblingStateBytes } from '../transformer/siblings';
import type { RecallCurve, RecallGapResult, RecallPoint } from './recall-gap-result';

export interface RecallRow {
  readonly tokens: readonly number[];
  /** Tokens before the questions. */
  readonly promptTokens: number;
  /** Token that must follow each place. */
  readonly answers: readonly { readonly at: number; readonly token: number }[];
}

/** The same pairs and questions for every model and every prompt. */
export function recallSample(
  pairs: number,
  { seed, questions }: Pick<RecallGapParams, 'seed' | 'questions'>,
  index: number,
): TaskSample {
  const sample = generateMqar({ pairs }, createRandom(seed).fork(`${pairs} pairs, ${index}`));
  return { ...sample, turns: sample.turns.slice(0, questions) };
}

/**
 * One row: the pairs `reads` times over, a bar, and each asked key with its true value, as in
 * training. With order `first`, a bar and the keys that will be asked come before the pairs.
 */
export function layRecall(
  { context, turns }: TaskSample,
  reads: 1 | 2,
  order: RecallGapParams['order'],
): RecallRow {
  const pairs = context.slice(1);
  const asked = turns.map(({ question }) => question.at(-1)!);
  const tokens = [
    BOS,
    ...(order === 'first' ? [BAR, ...asked] : []),
    ...pairs,
    ...(reads === 2 ? pairs : []),
  ];
  const promptTokens = tokens.length;
  const answers: { at: number; token: number }[] = [];
  tokens.push(BAR);
  for (const [i, { answer }] of turns.entries()) {
    tokens.push(asked[i]!, answer[0]!);
    answers.push({ at: tokens.length - 2, token: answer[0]! });
  }
  return { tokens, promptTokens, answers };
}

/** Most pairs whose row, read so often, is no longer than the longest of training. */
export function trainedPairsOf(
  reads: 1 | 2,
  { questions, order }: Pick<RecallGapParams, 'questions' | 'order'>,
): number {
  let pairs = MOST_PAIRS;
  const tokens = () => {
    const asked = Math.min(questions, pairs);
    return 2 + 2 * pairs * reads + 2 * asked + (order === 'first' ? 1 + asked : 0);
  };
  while (pairs > 0 && tokens() > MOST_ROW_TOKENS) pairs--;
  return pairs;
}

/** Questions of a row that a sibling answers right, each with the true answers before it in sight. */
export function rightAnswers(sibling: LoadedSibling, row: RecallRow): number {
  const { vocabularySize } = sibling.config;
  // The last answer is only compared with.
  const logits = siblingLogits(sibling.config, sibling.tensors, row.tokens.slice(0, -1));
  return row.answers.filter(
    ({ at, token }) =>
      argMax(logits.subarray(at * vocabularySize, (at + 1) * vocabularySize)) === token,
  ).length;
}

interface Tallies {
  readonly once: ClusterTally;
  readonly twice: ClusterTally;
  readonly gains: number[];
}

export interface RecallGapStep {
  /** Share of the work done. */
  readonly share: number;
  /** The curves as far as they have come: the last point of each may have fewer contexts. */
  readonly soFar: () => Omit<RecallGapResult, 'seconds'>;
}

/** Accuracy of every sibling over the numbers of pairs; yields after every row. */
export function* recallGapSteps(
  params: RecallGapParams,
  siblings: ReadonlyMap<SiblingName, LoadedSibling>,
): Generator<RecallGapStep, Omit<RecallGapResult, 'seconds'>> {
  const { samples, order, readTwice } = params;
  const models = [...new Set(params.models)];
  const counts = [...new Set(params.pairs)].sort((a, b) => a - b);
  const reads: readonly (1 | 2)[] = readTwice ? [1, 2] : [1];
  const tokensOf = (pairs: number) => pairs * (readTwice ? 3 : 1);
  const totalTokens = counts.reduce((sum, pairs) => sum + tokensOf(pairs), 0);
  const begun: BegunPairs[] = [];
  const soFar = () => ({
    params,
    curves: reads.flatMap((each) =>
      models.flatMap((model) => {
        const { config, parameters } = siblings.get(model)!;
        const points = begun.flatMap((pairs) => pointOf(pairs, model, each, config, params));
        const trainedPairs = trainedPairsOf(each, params);
        const { mixers } = config;
        const curve: RecallCurve = { model, reads: each, mixers, parameters, trainedPairs, points };
        return points.length === 0 ? [] : [curve];
      }),
    ),
    trainedPairs: MOST_PAIRS,
    trainedTokens: MOST_ROW_TOKENS,
  });
  let done = 0;
  for (const pairs of counts) {
    const tallies = new Map<SiblingName, Tallies>(
      models.map((model) => [
        model,
        { once: createClusterTally(), twice: createClusterTally(), gains: [] },
      ]),
    );
    const promptTokens = new Map<1 | 2, number>();
    begun.push({ pairs, tallies, promptTokens });
    for (let index = 0; index < samples; index++) {
      const sample = recallSample(pairs, params, index);
      const rows = new Map(reads.map((each) => [each, layRecall(sample, each, order)]));
      for (const [each, row] of rows) promptTokens.set(each, row.promptTokens);
      const total = sample.turns.length;
      for (const [at, model] of models.entries()) {
        const tally = tallies.get(model)!;
        const sibling = siblings.get(model)!;
        const once = rightAnswers(sibling, rows.get(1)!);
        tally.once.add(once, total);
        if (readTwice) {
          const before = (index * models.length + at) / (samples * models.length);
          yield { share: done + (tokensOf(pairs) * before) / totalTokens, soFar };
          const twice = rightAnswers(sibling, rows.get(2)!);
          tally.twice.add(twice, total);
          tally.gains.push((twice - once) / total);
        }
        const share = (index * models.length + at + 1) / (samples * models.length);
        yield { share: done + (tokensOf(pairs) * share) / totalTokens, soFar };
      }
    }
    done += tokensOf(pairs) / totalTokens;
  }
  return soFar();
}

/** A number of pairs that is asked for, or was. */
interface BegunPairs {
  readonly pairs: number;
  readonly tallies: ReadonlyMap<SiblingName, Tallies>;
  readonly promptTokens: ReadonlyMap<1 | 2, number>;
}

/** The point of a curve, or none before its first answers. */
function pointOf(
  { pairs, tallies, promptTokens }: BegunPairs,
  model: SiblingName,
  reads: 1 | 2,
  config: LoadedSibling['config'],
  params: RecallGapParams,
): readonly RecallPoint[] {
  const { once, twice, gains } = tallies.get(model)!;
  const accuracy = (reads === 1 ? once : twice).share();
  const tokens = promptTokens.get(reads);
  if (accuracy.total === 0 || tokens === undefined) return [];
  return [
    {
      pairs,
      promptTokens: tokens,
      isExtrapolated: pairs > trainedPairsOf(reads, params),
      stateBytes: siblingStateBytes(config, tokens),
      accuracy,
      ...(reads === 2 ? { gain: meanWithInterval(gains) } : {}),
    },
  ];
}

/** One context says nothing of the spread: its interval is the whole range. */
export function meanWithInterval(values: readonly number[]): {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
} {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  if (count < 2) return { mean, low: -1, high: 1 };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const half = Z_95 * Math.sqrt(squares / (count - 1) / count);
  return { mean, low: Math.max(-1, mean - half), high: Math.min(1, mean + half) };
}
