import type { CheckProgress, CheckResult, RowCheck } from './types';

/** A prompt of stored chunks and a question, over the layers of a model. */
interface Reuse {
  readonly layers: number;
  /** Seconds that one layer takes to compute the whole prompt. */
  readonly computeSeconds: number;
  /** Seconds that one layer's stored KV takes to arrive. */
  readonly loadSeconds: number;
  /** Share of the reused tokens that later layers compute again. */
  readonly recompute: number;
  /** Share of the prompt that is never stored: the question. */
  readonly fresh: number;
}

/**
 * Seconds to the first token: layer i is computed when it is loaded and layer i - 1 is done; the
 * first layer computes everything, to see which tokens deviate.
 */
export function blendSeconds({
  layers,
  computeSeconds,
  loadSeconds,
  recompute,
  fresh,
}: Reuse): number {
  let loadedAt = 0;
  let doneAt = 0;
  for (let layer = 0; layer < layers; layer++) {
    loadedAt += loadSeconds;
    const share = layer === 0 ? 1 : fresh + (1 - fresh) * recompute;
    doneAt = Math.max(loadedAt, doneAt) + share * computeSeconds;
  }
  return doneAt;
}

/** Least share above `floor` whose work hides behind the load: computing more costs nothing. */
export function hiddenRecompute(loadOverCompute: number, fresh: number, floor = 0.15): number {
  return Math.min(1, Math.max(floor, (loadOverCompute - fresh) / (1 - fresh)));
}

const LAYERS = 32;
const CHUNK_TOKENS = 512;
const CHUNKS = 6;
const QUESTION_TOKENS = 64;
const FRESH = QUESTION_TOKENS / (CHUNKS * CHUNK_TOKENS + QUESTION_TOKENS);
const RATIOS = [0, 0.1, 0.2, 0.35, 0.5, 0.8, 1.2];

const speedUp = (loadOverCompute: number, recompute: number): number =>
  LAYERS /
  blendSeconds({
    layers: LAYERS,
    computeSeconds: 1,
    loadSeconds: loadOverCompute,
    recompute,
    fresh: FRESH,
  });

function* run(): Generator<CheckProgress, CheckResult> {
  yield { fraction: 0, phase: 'layers' };
  const earlier = 'an earlier simulation of ours, with a fixed share of 0.1 for the question';
  const lineOf = (recompute: (ratio: number) => number) => ({
    x: RATIOS,
    y: RATIOS.map((ratio) => speedUp(ratio, recompute(ratio))),
  });
  return {
    figures: [
      ...(
        [
          [0, 4],
          [0.2, 3.3],
        ] as const
      ).map(([ratio, expected]) => ({
        label: `TTFT, full computation against 15 % computed again, load / prefill = ${ratio}`,
        value: speedUp(ratio, 0.15),
        unit: 'x',
        expected: { low: expected * 0.75, high: expected * 1.35 },
        source: earlier,
      })),
      {
        label: 'TTFT, full computation against 15 % computed again, load / prefill = 0.35',
        value: speedUp(0.35, 0.15),
        unit: 'x',
        expected: { low: 2.2, high: 3.3 },
        source: 'claim of the paper',
      },
      {
        label: 'share that may be computed again for nothing when load / prefill = 0.5',
        value: hiddenRecompute(0.5, FRESH),
        unit: '',
      },
      {
        label: 'TTFT with that share against 15 %, load / prefill = 0.5',
        value: speedUp(0.5, hiddenRecompute(0.5, FRESH)) / speedUp(0.5, 0.15),
        unit: 'x',
        expected: { low: 0.95 },
        source: "the rule itself: the loading controller's share hides behind the load",
      },
    ],
    series: [
      {
        title: 'TTFT of full computation over TTFT with reuse',
        xLabel: 'load time / prefill time',
        yLabel: 'speed-up',
        lines: [
          { name: '15 % computed again', ...lineOf(() => 0.15) },
          {
            name: 'as much as the load hides',
            ...lineOf((ratio) => hiddenRecompute(ratio, FRESH)),
          },
          { name: 'nothing computed again (wrong text)', ...lineOf(() => 0) },
        ],
      },
    ],
    notes: [
      `${CHUNKS} stored chunks of ${CHUNK_TOKENS} tokens and a question of ${QUESTION_TOKENS}, ${LAYERS} layers; the load of a layer overlaps with the work on the one before it, and all tokens are computed in the first layer.`,
      'Times only: what the answer loses is measured in the cache lab, where policy cacheblend runs on the model in the page.',
    ],
  };
}

/** CacheBlend (2024): stored chunks anywhere in a prompt, with a few tokens computed again. */
export const cacheblend: RowCheck = {
  id: 'cacheblend',
  title: 'CacheBlend',
  asks: 'How much sooner is the first token there when stored chunks are blended instead of computed?',
  rule: 'The KV of a chunk is stored once and used wherever the chunk stands in a prompt: its keys are rotated to their new positions, the first layer is computed for all tokens, and from then on only the share of tokens whose values deviate most is computed again. Work on a layer overlaps with the load of the next. The share is 15 %, or more where the load takes longer than the work.',
  evidence: 'code',
  run,
};
