import type { CacheBudget } from '../../spec/cache-policy';
import {
  type MeasuredSpeculation,
  measureSpeculation,
  type SpeculationText,
} from '../../speculate/measure';
import { SPECULATION } from '../../speculate/presets';
import { taskOf } from '../../tasks/registry';
import { sampleText } from '../../tasks/sample-text';
import type { Transformer } from '../../transformer/types';
import { blockFixedPoint } from './fixed-point';
import { SOURCES } from './make';
import type { CacheCheck, CheckFigure, CheckGround, CheckProgress, CheckSeries } from './types';

const CONTEXT = 160;
const NEW_TOKENS = 24;
const BLOCK = 16;
const QUESTION = 8;
const TEXTS = 4;
const KINDS = ['facts', 'copy', 'filler'] as const;
const ALL = { low: 100, high: 100 } as const;
const EXACT = 'by construction: what is kept is what the model would have written';

/** Texts to go on from, some of each kind. */
function textsOf({ seed, mostContexts }: CheckGround): readonly SpeculationText[] {
  const each = Math.min(TEXTS, mostContexts ?? TEXTS);
  return KINDS.flatMap((kind) =>
    Array.from({ length: each }, (_, i) => {
      const prompt = sampleText(kind, CONTEXT, seed + i).slice(0, -NEW_TOKENS);
      return {
        context: prompt.slice(0, -QUESTION),
        question: prompt.slice(-QUESTION),
        count: NEW_TOKENS,
      };
    }),
  );
}

/** Drafts over texts; the profile of all of them, and how many came out greedy. */
function* drafted(
  model: Transformer,
  drafter: string,
  budget: CacheBudget,
  texts: readonly SpeculationText[],
  draftTokens: number,
  [from, to]: readonly [number, number],
): Generator<CheckProgress, MeasuredSpeculation> {
  const preset = SPECULATION.get(drafter);
  if (preset === undefined) throw new Error(`unknown drafter: ${drafter}`);
  let last: MeasuredSpeculation | undefined;
  for (const done of measureSpeculation(model, preset.drafter(budget), texts, {
    draftTokens,
    compare: true,
  })) {
    last = done;
    yield { fraction: from + ((to - from) * done.texts) / texts.length, phase: preset.label };
  }
  if (last === undefined) throw new Error('no text to go on from');
  return last;
}

const identicalShare = ({ identical = 0, texts }: MeasuredSpeculation) => (100 * identical) / texts;

/** Acceptance by place, as far as any round came. */
function acceptanceSeries(
  measured: readonly (readonly [name: string, of: MeasuredSpeculation])[],
): CheckSeries {
  return {
    title: 'guesses accepted, where all before were',
    xLabel: 'place in the draft',
    yLabel: 'accepted, %',
    lines: measured.map(([name, { profile }]) => {
      const reached = profile.acceptance.flatMap((share, i) =>
        share === undefined ? [] : [[i + 1, 100 * share] as const],
      );
      return { name, x: reached.map(([place]) => place), y: reached.map(([, share]) => share) };
    }),
  };
}

const jacobi: CacheCheck = {
  id: 'jacobi',
  title: 'jacobi: a block of guesses against greedy decoding',
  asks: 'Is the fixed point of a block the greedy text, after no more iterations than tokens?',
  rule: 'Every iteration fixes at least the first wrong token, so a block of n is done after n; what agrees is the model’s own choice. The tokens per run of the trained version are not to be had without its training.',
  evidence: 'code',
  *run(ground) {
    const { model } = ground;
    const texts = textsOf(ground);
    let equal = 0;
    let most = 0;
    let iterations = 0;
    for (const [at, { context, question }] of texts.entries()) {
      const found = blockFixedPoint(model, [...context, ...question], BLOCK);
      if (found.isGreedy) equal++;
      most = Math.max(most, found.iterations);
      iterations += found.iterations;
      yield { fraction: (at + 1) / texts.length / 3, phase: 'fixed points' };
    }
    const budget = { type: 'ratio', share: 1 } as const;
    const plain = yield* drafted(model, 'draft-jacobi', budget, texts, BLOCK, [1 / 3, 2 / 3]);
    const recycled = yield* drafted(model, 'draft-jacobi-recycled', budget, texts, BLOCK, [
      2 / 3,
      1,
    ]);
    const runs = ({ profile }: MeasuredSpeculation) => profile.verifierCalls / profile.tokens;
    const figures: CheckFigure[] = [
      {
        label: 'fixed points that are the greedy text',
        value: (100 * equal) / texts.length,
        unit: '%',
        expected: ALL,
        source: EXACT,
      },
      {
        label: `most iterations of a block, over its ${BLOCK} tokens`,
        value: most / BLOCK,
        unit: 'x',
        expected: { high: 1 },
        source: 'by construction: an iteration fixes one token at least',
      },
      {
        label: 'texts as greedy decoding writes them, plain',
        value: identicalShare(plain),
        unit: '%',
        expected: ALL,
        source: EXACT,
      },
      {
        label: 'texts as greedy decoding writes them, recycled',
        value: identicalShare(recycled),
        unit: '%',
        expected: ALL,
        source: EXACT,
      },
      {
        label: 'runs of the model a token, plain',
        value: runs(plain),
        unit: 'x',
        expected: { high: 1 },
        source: 'a run adds one token at least',
      },
      {
        label: 'runs of the model a token, recycled',
        value: runs(recycled),
        unit: 'x',
        expected: { high: 1 },
        source: 'a run adds one token at least',
      },
      { label: 'mean iterations of a block', value: iterations / texts.length, unit: '' },
      { label: 'tokens a run, plain', value: plain.profile.tokensPerStep, unit: '' },
      { label: 'tokens a run, recycled', value: recycled.profile.tokensPerStep, unit: '' },
    ];
    return {
      figures,
      series: [
        acceptanceSeries([
          ['plain', plain],
          ['recycled', recycled],
        ]),
      ],
      notes: [
        `${texts.length} texts of ${CONTEXT - NEW_TOKENS} tokens (${KINDS.join(', ')}), ${NEW_TOKENS} tokens each, blocks of ${BLOCK}`,
      ],
    };
  },
};

/** Answers of several tokens, of which the first is the verifier's. */
function questionsOf({ seed, mostContexts }: CheckGround): readonly SpeculationText[] {
  return Array.from({ length: Math.min(3 * TEXTS, mostContexts ?? 3 * TEXTS) }, (_, index) => {
    const { context, turns } = taskOf('passkey').sample({ contextTokens: CONTEXT, seed, index });
    const [{ question, answer } = { question: [], answer: [] }] = turns;
    return { context, question, count: answer.length };
  });
}

const RETRIEVED_TOKENS = 33;

const rapid: CacheCheck = {
  id: 'rapid',
  title: 'rapid: drafts over a retrieved context against drafts over a window',
  asks: 'Does a draft over what was retrieved guess further than one over as many last tokens?',
  rule: 'The paper’s claim: a short retrieved context drafts well for a long one. The target is not shifted here, so that the text stays the model’s own.',
  evidence: 'abstract',
  *run(ground) {
    const { model } = ground;
    const texts = questionsOf(ground);
    const budget = { type: 'tokens', tokens: RETRIEVED_TOKENS } as const;
    const own = yield* drafted(model, 'draft-rapid', budget, texts, 4, [0, 0.5]);
    const other = yield* drafted(model, 'draft-streaming-llm', budget, texts, 4, [0.5, 1]);
    return {
      figures: [
        {
          label: 'texts as greedy decoding writes them, retrieved',
          value: identicalShare(own),
          unit: '%',
          expected: ALL,
          source: EXACT,
        },
        {
          label: 'texts as greedy decoding writes them, window',
          value: identicalShare(other),
          unit: '%',
          expected: ALL,
          source: EXACT,
        },
        {
          label: 'tokens a run of the full cache, retrieved over window',
          value: own.profile.tokensPerStep / other.profile.tokensPerStep,
          unit: 'x',
          expected: { low: 1 },
          source: SOURCES.abstract,
        },
        { label: 'tokens a run, retrieved', value: own.profile.tokensPerStep, unit: '' },
        { label: 'tokens a run, window', value: other.profile.tokensPerStep, unit: '' },
      ],
      series: [
        acceptanceSeries([
          ['retrieved', own],
          ['window', other],
        ]),
      ],
      notes: [
        `${texts.length} passkeys in ${CONTEXT} tokens; the drafter reads ${RETRIEVED_TOKENS} of them and the question`,
      ],
    };
  },
};

/** Ways to decode whose text is that of greedy decoding. */
export const SPECULATING_CHECKS: readonly CacheCheck[] = [jacobi, rapid];
