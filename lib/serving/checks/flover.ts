import { type ServeParams, serveParams } from '../../spec/kinds/serve';
import { makeCostModel } from '../cost/make-cost-model';
import { poissonLoad, simulateSliced } from './capacity';
import type { CheckProgress, CheckResult, RowCheck } from './types';

const SEEDS = 3;
const REQUESTS = 64;
const PROMPT = 128;
const OUTPUT = 256;
/** Mean time between arrivals, in decode steps of one request alone. */
const GAPS = [1, 4, 16, 64];
const SLOT_TOKENS = PROMPT + OUTPUT;

const paramsOf = (parts: object): ServeParams =>
  serveParams.parse({
    model: 'llama-3.1-8b',
    hardware: 'a100-80g',
    strategy: {
      type: 'composed',
      chunker: { type: 'whole' },
      preemption: { type: 'none' },
      kvAlloc: { type: 'contiguous-max', maxTokens: SLOT_TOKENS },
      ...parts,
    },
  });
const ARMS = {
  'one at a time': paramsOf({
    admission: { type: 'fits', maxSequences: 1 },
    batchFormer: { type: 'static' },
  }),
  'batches that wait for each other': paramsOf({
    admission: { type: 'fits', maxSequences: 32 },
    batchFormer: { type: 'static' },
  }),
  fused: paramsOf({
    admission: { type: 'fits', maxSequences: 256 },
    batchFormer: { type: 'iteration-level' },
  }),
} as const;
type Arm = keyof typeof ARMS;
const NAMES = Object.keys(ARMS) as Arm[];
const [ALONE, STATIC, FUSED] = NAMES as [Arm, Arm, Arm];

function* run(seed: number): Generator<CheckProgress, CheckResult> {
  const seconds = new Map<string, number>();
  // A decode step is nearly all reading of weights: what one request has between two tokens.
  const alone = ARMS[ALONE];
  const single = yield* simulateSliced(
    alone,
    poissonLoad(seed, 1, 1, () => [PROMPT, OUTPUT]),
    makeCostModel(alone),
    { fraction: 0, phase: 'one decode step' },
  );
  const step = single.metrics.tpotSeconds.mean;
  const jobs = GAPS.flatMap((gap) => NAMES.map((arm) => ({ gap, arm })));
  for (const [i, { gap, arm }] of jobs.entries()) {
    const progress = { fraction: i / jobs.length, phase: `${arm}, ${gap} steps between arrivals` };
    let sum = 0;
    for (let repeat = 0; repeat < SEEDS; repeat++) {
      const load = poissonLoad(seed + repeat, REQUESTS, 1 / (gap * step), () => [PROMPT, OUTPUT]);
      const { metrics } = yield* simulateSliced(
        ARMS[arm],
        load,
        makeCostModel(ARMS[arm]),
        progress,
      );
      sum += metrics.e2eSeconds.mean;
    }
    seconds.set(`${arm} ${gap}`, sum / SEEDS);
  }
  const over = (arm: Arm, gap: number) =>
    (seconds.get(`${arm} ${gap}`) as number) / (seconds.get(`${FUSED} ${gap}`) as number);
  const first = GAPS[0] as number;
  const claim = 'the pass mark; the abstract claims 11 and 16 against FasterTransformer';
  return {
    figures: [
      {
        label: `mean latency, ${ALONE} against fused, a decode step between arrivals`,
        value: over(ALONE, first),
        unit: 'x',
        expected: { low: 3 },
        source: claim,
      },
      {
        label: `mean latency, ${STATIC} against fused, a decode step between arrivals`,
        value: over(STATIC, first),
        unit: 'x',
        expected: { low: 1 },
        source: 'arithmetic: nothing waits for a batch to end',
      },
      {
        label: `what fusing gains over ${ALONE}, ${GAPS.at(-1)} steps between arrivals against one`,
        value: over(ALONE, GAPS.at(-1) as number) / over(ALONE, first),
        unit: 'x',
        expected: { high: 1 },
        source: 'arithmetic: less where fewer are there at once',
      },
    ],
    series: [
      {
        title: 'Mean latency over that of the fused loop',
        xLabel: 'decode steps between arrivals',
        yLabel: 'ratio',
        lines: NAMES.map((name) => ({ name, x: GAPS, y: GAPS.map((gap) => over(name, gap)) })),
      },
    ],
    notes: [
      `Compositions: Llama 3.1 8B on an A100 by roofline, ${REQUESTS} Poisson requests of ${PROMPT} tokens in and ${OUTPUT} out, ${SEEDS} seeds; a decode step of one takes ${(1e3 * step).toFixed(1)} ms. Fused is iteration-level batching with slots of the longest length.`,
      'Moving rows together when a request ends is not priced, nor several instances that share one accelerator, which is the other of its two baselines.',
    ],
  };
}

/** Flover (2023): a request joins the loop that runs at the next token. */
export const flover: RowCheck = {
  id: 'flover',
  title: 'Flover: joining at a token boundary',
  asks: 'How much sooner are requests done that join what runs at the next token?',
  rule: 'the prompt of a new request runs as it arrives; then it joins one loop that generates a token for everybody. between two tokens the loop looks at a queue, takes what is there, and closes the gaps of those that ended, since KV lies in one piece. before, requests waited for a batch to end, or each had an instance of its own.',
  evidence: 'abstract',
  run,
};
