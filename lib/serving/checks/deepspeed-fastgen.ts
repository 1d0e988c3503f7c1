import { type ServeParams, serveParams } from '../../spec/kinds/serve';
import { makeCostModel } from '../cost/make-cost-model';
import { tpotSeconds } from '../metrics';
import type { ServeResult } from '../types';
import { type DrawLengths, poissonLoad, simulateSliced } from './capacity';
import type { RowCheck } from './types';

const SEEDS = 3;
const REQUESTS = 200;
const RATES = [0.5, 1, 1.5, 2, 2.5, 3, 4] as const;
const SPEEDS = [2, 4, 6] as const;
const PROMPT_TOKENS_PER_SECOND = 512;
const FORWARD_TOKENS = 2048;

const spread = (mean: number, normal: () => number) =>
  Math.max(1, Math.round(mean * (1 + 0.3 * normal())));
const lengths: DrawLengths = (normal) => [spread(2600, normal), spread(128, normal)];

const cell = (strategy: object): ServeParams =>
  serveParams.parse({
    model: 'llama-3.1-70b',
    hardware: 'a100-80g',
    tensorParallel: 4,
    strategy,
  });

const ARMS = {
  'prompts first': cell({ type: 'vllm', maxBatchedTokens: 4096 }),
  'exact fill': cell({ type: 'sarathi', tokenBudget: FORWARD_TOKENS }),
} as const;

/** How a request's generation is judged: by its mean speed, or by its longest gap. */
type Judge = 'mean' | 'longest gap';

/** Requests per second of the run that were fast enough in both phases. */
function effective({ requests: r, metrics }: ServeResult, speed: number, judge: Judge): number {
  let good = 0;
  for (let i = 0; i < r.outputTokens.length; i++) {
    const first = r.firstTokenSeconds[i] as number;
    const done = r.completedSeconds[i] as number;
    if (Number.isNaN(done)) continue;
    const prompt = (r.promptTokens[i] as number) / PROMPT_TOKENS_PER_SECOND;
    if (first - (r.arrivalSeconds[i] as number) > prompt) continue;
    const gap =
      judge === 'mean'
        ? tpotSeconds(first, done, r.outputTokens[i] as number)
        : (r.maxStallSeconds[i] as number);
    if (!(gap > 1 / speed)) good++;
  }
  return good / metrics.makespanSeconds;
}

export const deepspeedFastgen: RowCheck = {
  id: 'deepspeed-fastgen',
  title: 'DeepSpeed-FastGen: forwards of one size',
  asks: 'How many requests a second are served fast enough, as generation must be faster?',
  rule: 'every forward has about as many tokens as saturate the accelerator. ready decodes take one each; prompts fill the rest: a long one is split over several forwards, several short ones are put together and the last of them is split. against it: forwards of whole prompts before any decode (vLLM without chunks).',
  evidence: 'unverified',
  *run(seed) {
    const tables = new Map<string, number[]>();
    const names = Object.keys(ARMS) as (keyof typeof ARMS)[];
    let step = 0;
    for (const name of names) {
      const params = ARMS[name];
      const costModel = makeCostModel(params);
      for (const rate of RATES) {
        const sums = new Map<string, number>();
        for (let repeat = 0; repeat < SEEDS; repeat++) {
          const fraction = step++ / (names.length * RATES.length * SEEDS);
          const progress = { fraction, phase: `${name} at ${rate}/s` };
          const load = poissonLoad(seed + repeat, REQUESTS, rate, lengths);
          const result = yield* simulateSliced(params, load, costModel, progress);
          yield progress;
          for (const speed of SPEEDS)
            for (const judge of ['mean', 'longest gap'] as const) {
              const key = `${name} ${speed} ${judge}`;
              sums.set(key, (sums.get(key) ?? 0) + effective(result, speed, judge) / SEEDS);
            }
        }
        for (const [key, value] of sums) tables.set(key, [...(tables.get(key) ?? []), value]);
      }
    }
    const curve = (name: string, speed: number, judge: Judge) =>
      tables.get(`${name} ${speed} ${judge}`) as number[];
    const gain = (speed: number, judge: Judge) =>
      Math.max(...curve('exact fill', speed, judge)) /
      Math.max(...curve('prompts first', speed, judge));
    return {
      figures: [
        ...SPEEDS.map((speed) => ({
          label: `effective throughput, exact fill against prompts first, at ${speed} tokens/s`,
          value: gain(speed, 'mean'),
          unit: 'x',
          expected: { low: 1.3, high: 2.3 },
          source: 'claim of the abstract: up to 2.3; the lower end and the set-up from memory',
        })),
        ...SPEEDS.map((speed) => ({
          label: `the same where no gap may be longer than ${(1 / speed).toFixed(2)} s`,
          value: gain(speed, 'longest gap'),
          unit: 'x',
        })),
      ],
      series: [
        {
          title: 'effective throughput at 6 tokens/s',
          xLabel: 'arrivals (requests/s)',
          yLabel: 'requests/s fast enough',
          lines: names.map((name) => ({ name, x: [...RATES], y: curve(name, 6, 'mean') })),
        },
      ],
      notes: [
        `Llama 3.1 70B on 4 x A100 80 GB, roofline; prompts about 2,600 and outputs about 128 tokens, both normal with a deviation of 30 %; ${REQUESTS} Poisson requests, ${SEEDS} seeds`,
        `a request counts when its prompt took at most its length over ${PROMPT_TOKENS_PER_SECOND} tokens/s and its generation kept the speed: by its mean, and by its longest gap. the published judge is a moving average between the two, whose constant we do not know`,
        'the prompt speed of 512 tokens/s is what binds both rules here and not the generation, so the mean tells them apart only a little; the roofline also has no start-up that small forwards would pay for',
        'the best rate of the grid counts; the published gain grows with the speed',
      ],
    };
  },
};
