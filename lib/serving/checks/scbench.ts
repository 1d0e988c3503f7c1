import { type ServeParams, serveParams } from '../../spec/kinds/serve';
import type { Workload } from '../../workload/types';
import { makeCostModel } from '../cost/make-cost-model';
import type { ServeResult } from '../types';
import { simulateSliced } from './capacity';
import { sessionLoad } from './session-load';
import type { CheckProgress, CheckResult, RowCheck } from './types';

const CONTEXTS = 20;
const QUESTIONS = 5;
const CONTEXT_TOKENS = 16_000;
const QUESTION_TOKENS = 100;
const ANSWER_TOKENS = 100;
const BLOCK_TOKENS = 100;
const CONTEXTS_PER_SECOND = 0.1;

/** Questions about one context: turns of a session, or requests of several people with the same context. */
export function sharedContexts(mode: 'multi-turn' | 'multi-request'): Workload {
  const turn = (first: boolean) => ({
    ownTokens: QUESTION_TOKENS + (first ? CONTEXT_TOKENS : 0),
    outputTokens: ANSWER_TOKENS,
    gapSeconds: 2,
  });
  const sessions = Array.from({ length: CONTEXTS }, (_, i) => ({
    startSeconds: i / CONTEXTS_PER_SECOND,
    turns: Array.from({ length: QUESTIONS }, (_, q) => turn(q === 0)),
  }));
  if (mode === 'multi-turn') return sessionLoad(sessions, BLOCK_TOKENS);
  const blocks = CONTEXT_TOKENS / BLOCK_TOKENS;
  const own = (QUESTION_TOKENS + ANSWER_TOKENS) / BLOCK_TOKENS;
  const count = CONTEXTS * QUESTIONS;
  const ids = Array.from({ length: count }, (_, i) => [
    ...Array.from({ length: blocks }, (_, b) => Math.floor(i / QUESTIONS) * blocks + b),
    ...Array.from({ length: own }, (_, b) => count * blocks + i * own + b),
  ]);
  return {
    // Five seconds apart: those of one context follow each other.
    arrivalSeconds: Float64Array.from(
      ids,
      (_, i) => Math.floor(i / QUESTIONS) / CONTEXTS_PER_SECOND + 2 * (i % QUESTIONS),
    ),
    promptTokens: new Int32Array(count).fill(CONTEXT_TOKENS + QUESTION_TOKENS),
    outputTokens: new Int32Array(count).fill(ANSWER_TOKENS),
    content: {
      tokensPerId: BLOCK_TOKENS,
      offsets: Int32Array.from({ length: count + 1 }, (_, i) => i * (blocks + own)),
      ids: Int32Array.from(ids.flat()),
    },
    label: `${count} questions about ${CONTEXTS} contexts`,
    source: 'shared contexts made for a check',
    seed: 0,
    notes: [],
  };
}

const paramsOf = (type: 'block-hash' | 'none'): ServeParams =>
  serveParams.parse({
    model: 'llama-3.1-8b',
    hardware: 'a100-80g',
    memory: { blockTokens: BLOCK_TOKENS },
    strategy: {
      type: 'composed',
      batchFormer: { type: 'decode-first', tokenBudget: 2048 },
      preemption: { type: 'recompute', victim: 'last-admitted' },
      prefixIndex: { type },
    },
  });

const hitShare = ({ prefixCache }: ServeResult): number =>
  prefixCache === undefined ? 0 : prefixCache.hitTokens / prefixCache.queriedTokens;

/** Share of prompt tokens that a question before has computed, in blocks; an answer's last one has no KV yet. */
export function sharedShare({ promptTokens }: Workload, mode: 'multi-turn' | 'multi-request') {
  const all = promptTokens.reduce((a, b) => a + b, 0);
  const perContext = Array.from({ length: QUESTIONS - 1 }, (_, q) =>
    mode === 'multi-request'
      ? CONTEXT_TOKENS
      : CONTEXT_TOKENS + (q + 1) * (QUESTION_TOKENS + ANSWER_TOKENS) - BLOCK_TOKENS,
  ).reduce((a, b) => a + b, 0);
  return (CONTEXTS * perContext) / all;
}

function* run(): Generator<CheckProgress, CheckResult> {
  const modes = ['multi-turn', 'multi-request'] as const;
  const found: { mode: string; share: number; expected: number; gain: number }[] = [];
  for (const [i, mode] of modes.entries()) {
    const load = sharedContexts(mode);
    const progress = { fraction: i / modes.length, phase: mode };
    const results: ServeResult[] = [];
    for (const type of ['block-hash', 'none'] as const) {
      const params = paramsOf(type);
      results.push(yield* simulateSliced(params, load, makeCostModel(params), progress));
    }
    const [shared, bare] = results as [ServeResult, ServeResult];
    found.push({
      mode,
      share: hitShare(shared),
      expected: sharedShare(load, mode),
      gain: bare.metrics.ttftSeconds.mean / shared.metrics.ttftSeconds.mean,
    });
  }
  return {
    figures: [
      ...found.map(({ mode, share, expected }) => ({
        label: `prompt tokens found cached, ${mode}`,
        value: 100 * share,
        unit: '%',
        expected: { low: 100 * expected - 0.01, high: 100 * expected + 0.01 },
        source: 'arithmetic: all that a question before has computed, in whole blocks',
      })),
      ...found.map(({ mode, gain }) => ({
        label: `mean TTFT, nothing reused against reused, ${mode}`,
        value: gain,
        unit: 'x',
        expected: { low: 1 },
        source: 'arithmetic: what is found is not computed',
      })),
      {
        label: 'reuses that are unsafe where the KV kept was chosen for the first question',
        value: (100 * (QUESTIONS - 1)) / QUESTIONS,
        unit: '%',
        expected: { low: 80, high: 80 },
        source: 'arithmetic: all questions about a context but its first',
      },
    ],
    series: [],
    notes: [
      `${CONTEXTS} contexts of ${CONTEXT_TOKENS} tokens with ${QUESTIONS} questions each, as turns of one session and as requests of several; Llama 3.1 8B on an A100 by roofline, prefix caching against none.`,
      'KV that was dropped by what one question looks at does not serve the next one: with such methods only the first answer is what was measured, or the context is computed again, which is the line without reuse. Cache cells ask second to fifth questions and show what that does to answers.',
    ],
  };
}

/** SCBench (2024): the life of a KV cache over several requests. */
export const scbench: RowCheck = {
  id: 'scbench',
  title: 'SCBench: one context, several questions',
  asks: 'What do questions about one context share, and which kinds of compressed KV can they share?',
  rule: 'KV is generated, compressed, retrieved and loaded. a context is shared in two ways: by the turns of one session, and by requests of different sessions. KV that was dropped by looking at one question is not valid for another one.',
  evidence: 'abstract',
  run,
};
