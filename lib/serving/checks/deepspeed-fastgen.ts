import { createRandom } from '../../random/random';
import { type ServeParams, serveParams } from '../../spec/kinds/serve';
import type { Workload } from '../../workload/types';
import { makeCostModel } from '../cost/make-cost-model';
import { tpotSeconds } from '../metrics';
import type { ServeResult } from '../types';
import { simulateSliced } from './capacity';
import { largestAverage, tokenGaps } from './token-gaps';
import type { RowCheck } from './types';

const SEEDS = 3;
/** Clients that each send the next request when the last one is answered. */
const CLIENTS = [4, 8, 16, 24, 32] as const;
const REQUESTS_PER_CLIENT = 8;
const SPEEDS = [2, 4, 6] as const;
const PROMPT_TOKENS_PER_SECOND = 512;
const FORWARD_TOKENS = 768;
const MOST_PROMPT_TOKENS = 4000;
const AVERAGE_SPAN = 16;

/** Prompts of about 2,600 tokens and outputs of about 128, both normal with a deviation of 30 %. */
export function clientLoad(seed: number, clients: number): Workload {
  const random = createRandom(seed);
  const requests = clients * REQUESTS_PER_CLIENT;
  const spread = (mean: number) => Math.max(1, Math.round(mean * (1 + 0.3 * random.normal())));
  return {
    arrivalSeconds: new Float64Array(requests),
    promptTokens: Int32Array.from({ length: requests }, () =>
      Math.min(MOST_PROMPT_TOKENS, spread(2600)),
    ),
    outputTokens: Int32Array.from({ length: requests }, () => spread(128)),
    programs: {
      programIds: Int32Array.from({ length: requests }, (_, id) => id % clients),
      offsets: Int32Array.from({ length: requests + 1 }, (_, id) => Math.max(0, id - clients)),
      predecessors: Int32Array.from({ length: requests - clients }, (_, id) => id),
      gapSeconds: new Float64Array(requests),
    },
    label: `${clients} clients, ${requests} requests`,
    source: 'clients made for a check',
    seed,
    notes: [],
  };
}

const cell = (parts: object): ServeParams =>
  serveParams.parse({
    model: 'llama-3.1-70b',
    hardware: 'a100-80g',
    tensorParallel: 4,
    strategy: { type: 'composed', ...parts },
  });

const ARMS = {
  'prompts first': cell({
    admission: { type: 'watermark', maxSequences: 256 },
    batchFormer: { type: 'prefill-first', maxBatchedTokens: 4096 },
    chunker: { type: 'whole' },
    preemption: { type: 'recompute', victim: 'latest-arrival' },
  }),
  'exact fill': cell({
    admission: { type: 'watermark', maxSequences: 256 },
    batchFormer: { type: 'decode-first', tokenBudget: FORWARD_TOKENS },
    preemption: { type: 'recompute', victim: 'last-admitted' },
  }),
} as const;

/** How a request's generation is judged: as published by a moving average of its gaps, or else. */
const JUDGES = ['average', 'mean', 'longest gap'] as const;
type Judge = (typeof JUDGES)[number];

/** Requests per second of the run that were fast enough in both phases, for every judge and speed. */
function effective(result: ServeResult): ReadonlyMap<string, number> {
  const { requests: r, metrics } = result;
  const gaps = tokenGaps(result);
  const good = new Map<string, number>();
  for (let i = 0; i < r.outputTokens.length; i++) {
    const first = r.firstTokenSeconds[i] as number;
    const done = r.completedSeconds[i] as number;
    if (Number.isNaN(done)) continue;
    const prompt = (r.promptTokens[i] as number) / PROMPT_TOKENS_PER_SECOND;
    if (first - (r.arrivalSeconds[i] as number) > prompt) continue;
    const judged: Record<Judge, number> = {
      average: largestAverage(gaps[i] as readonly number[], AVERAGE_SPAN),
      mean: tpotSeconds(first, done, r.outputTokens[i] as number),
      'longest gap': r.maxStallSeconds[i] as number,
    };
    for (const speed of SPEEDS)
      for (const judge of JUDGES) {
        if (judged[judge] > 1 / speed) continue;
        const key = `${speed} ${judge}`;
        good.set(key, (good.get(key) ?? 0) + 1 / metrics.makespanSeconds);
      }
  }
  return good;
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
      for (const clients of CLIENTS) {
        const sums = new Map<string, number>();
        for (let repeat = 0; repeat < SEEDS; repeat++) {
          const fraction = step++ / (names.length * CLIENTS.length * SEEDS);
          const progress = { fraction, phase: `${name}, ${clients} clients` };
          const load = clientLoad(seed + repeat, clients);
          const result = yield* simulateSliced(params, load, costModel, progress);
          yield progress;
          for (const [key, value] of effective(result))
            sums.set(key, (sums.get(key) ?? 0) + value / SEEDS);
        }
        for (const speed of SPEEDS)
          for (const judge of JUDGES) {
            const key = `${name} ${speed} ${judge}`;
            const value = sums.get(`${speed} ${judge}`) ?? 0;
            tables.set(key, [...(tables.get(key) ?? []), value]);
          }
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
          value: gain(speed, 'average'),
          unit: 'x',
          expected: { low: 1.3, high: 2.3 },
          source: 'claim of the abstract: up to 2.3; the lower end from memory',
        })),
        ...SPEEDS.map((speed) => ({
          label: `the same by the mean gap of a request, at ${speed} tokens/s`,
          value: gain(speed, 'mean'),
          unit: 'x',
        })),
        ...SPEEDS.map((speed) => ({
          label: `the same where no gap may be longer than ${(1 / speed).toFixed(2)} s`,
          value: gain(speed, 'longest gap'),
          unit: 'x',
        })),
      ],
      series: ([4, 6] as const).map((speed) => ({
        title: `effective throughput at ${speed} tokens/s`,
        xLabel: 'clients',
        yLabel: 'requests/s fast enough',
        lines: names.map((name) => ({ name, x: [...CLIENTS], y: curve(name, speed, 'average') })),
      })),
      notes: [
        `Llama 3.1 70B on 4 x A100 80 GB, roofline; prompts about 2,600 (at most ${MOST_PROMPT_TOKENS}) and outputs about 128 tokens, both normal with a deviation of 30 %; ${CLIENTS.join(', ')} clients of ${REQUESTS_PER_CLIENT} requests, each sent when the one before is answered, ${SEEDS} seeds; the best number of clients counts`,
        `clients, lengths, forwards of ${FORWARD_TOKENS} tokens and the judge are those of the benchmark scripts that the authors published: a request counts when its prompt took at most its length over ${PROMPT_TOKENS_PER_SECOND} tokens/s, and no exponential average of its gaps, with a span of ${AVERAGE_SPAN}, was above one over the speed. beside it the mean gap and the longest one`,
        'the roofline has no start-up of an iteration or of the engine, which the published comparison does',
      ],
    };
  },
};
