import type { SpeculateParams } from '../spec/kinds/speculate';
import { profileAcceptance } from '../speculate/acceptance';
import type { SpeculateResult } from '../speculate/cell-result';
import { type Comparison, compareWithGreedy } from '../speculate/compare';
import { SPECULATION, type SpeculationPreset } from '../speculate/presets';
import { sampleText } from '../tasks/sample-text';
import { BOS } from '../tasks/vocabulary';
import { wordTokenizer } from '../transformer/load/word-tokenizer';
import type { LoadedModel } from './model-service';
import { throttled } from './simulation-jobs';
import { nextTask, throwIfAborted } from './sliced';
import type { OnProgress } from './worker-api';

/** A drafter that asks for a question gets the end of the prompt: this many tokens at most. */
const QUESTION_TOKENS = 8;

/** @throws Error where the text has too few tokens or a word the model does not know */
function promptOf(params: SpeculateParams, { tokenizer }: LoadedModel): number[] {
  const { text, newTokens } = params;
  if (text.type === 'prompt') {
    const tokens = [...tokenizer.encode(text.prompt)];
    // The shipped model has only ever read texts that begin so; other tokenizers see to it themselves.
    if (tokenizer === wordTokenizer && tokens.length > 0 && tokens[0] !== BOS) tokens.unshift(BOS);
    if (tokens.length < 2) {
      throw new Error(`the prompt has ${tokens.length} tokens (expected at least 2)`);
    }
    return tokens;
  }
  if (text.textTokens < newTokens + 2 * QUESTION_TOKENS) {
    throw new Error(
      `invalid textTokens: ${text.textTokens} (expected at least ${newTokens + 2 * QUESTION_TOKENS}: the last ${newTokens} are left off)`,
    );
  }
  return sampleText(text.sample, text.textTokens, text.seed).slice(0, -newTokens);
}

/**
 * Draft and verify beside greedy decoding on one text.
 *
 * @throws Error in one sentence for an unknown drafter or a text that does not fit, AbortError when
 *   cancelled
 */
export async function speculateJob(
  params: SpeculateParams,
  model: LoadedModel,
  signal: AbortSignal,
  onProgress: OnProgress,
): Promise<SpeculateResult> {
  const preset = SPECULATION.get(params.drafter);
  if (preset === undefined) {
    throw new Error(`unknown drafter: ${params.drafter} (choose one of the list)`);
  }
  const { transformer } = model;
  const { maxPositions, vocabularySize, eosTokens } = transformer.config;
  const prompt = promptOf(params, model);
  const outside = prompt.find((token) => token >= vocabularySize);
  if (outside !== undefined) {
    throw new Error(
      'sample texts are in the words of the shipped model: write a prompt for this model',
    );
  }
  const room = maxPositions - params.newTokens;
  if (prompt.length > room) {
    throw new Error(
      `the prompt has ${prompt.length} tokens (expected at most ${room}: the model has ${maxPositions} positions)`,
    );
  }
  const question = Math.min(QUESTION_TOKENS, prompt.length - 1);
  const steps = compareWithGreedy(transformer, {
    text: { context: prompt.slice(0, -question), question: prompt.slice(-question) },
    count: params.newTokens,
    stop: new Set(eosTokens),
    drafting: preset.drafter({ type: 'ratio', share: params.share }),
    draftTokens: params.draftTokens,
    now: () => performance.now(),
  });
  const report = throttled(onProgress);
  const resultOf = (comparison: Comparison, isPartial: boolean): SpeculateResult =>
    speculateResult(params, model, prompt, question, comparison, isPartial);
  let step = steps.next();
  while (!step.done) {
    const { share, soFar } = step.value;
    report({
      fraction: share,
      phase: 'running',
      ...(soFar && { partial: { kind: 'speculate', value: resultOf(soFar(), true) } }),
    });
    await nextTask();
    throwIfAborted(signal);
    step = steps.next();
  }
  return resultOf(step.value, false);
}

/** @param isPartial draft and verify go on: what greedy decoding wrote beyond them is no difference */
function speculateResult(
  params: SpeculateParams,
  { name, transformer, tokenizer }: LoadedModel,
  prompt: readonly number[],
  questionTokens: number,
  { tokens, rounds, greedy, greedyCalls, seconds, drafter }: Comparison,
  isPartial: boolean,
): SpeculateResult {
  const { source, defaults } = SPECULATION.get(params.drafter) as SpeculationPreset;
  const label = (token: number) => tokenizer.labelOf(token);
  const length = isPartial ? tokens.length : Math.max(tokens.length, greedy.length);
  const firstDifference = Array.from({ length }, (_, i) => tokens[i] !== greedy[i]).indexOf(true);
  const profile = profileAcceptance(drafter, params.draftTokens, rounds);
  return {
    params,
    modelName: name,
    engine: transformer.engine,
    drafter,
    source,
    defaults,
    promptLabels: prompt.map(label),
    questionTokens,
    tokens,
    labels: tokens.map(label),
    rounds: rounds.map((round) => ({ ...round, guessLabels: round.guesses.map(label) })),
    profile: { ...profile, acceptance: profile.acceptance.map((share) => share ?? Number.NaN) },
    isGreedyText: firstDifference < 0,
    firstDifference,
    greedyLabels: greedy.map(label),
    greedyCalls,
    seconds,
  };
}
