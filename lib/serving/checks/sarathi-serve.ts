import { serveParams } from '../../spec/kinds/serve';
import { composedStrategy } from '../../spec/kinds/serve-parts';
import { STRATEGY_PRESETS } from '../compose/presets';
import { makeCostModel } from '../cost/make-cost-model';
import type { ServeResult } from '../types';
import { capacity, type DrawLengths, logNormal, poissonLoad } from './capacity';
import type { CheckProgress, RowCheck } from './types';

const SEEDS = 3;
const REQUESTS = 500;
const MOST_TOKENS = 8192;

const prompt = logNormal(1730, 5696);
const output = logNormal(415, 834);
const lengths: DrawLengths = (normal) => {
  for (;;) {
    const pair = [prompt(normal), output(normal)] as const;
    if (pair[0] + pair[1] <= MOST_TOKENS) return pair;
  }
};

const presetStrategy = (id: string) => STRATEGY_PRESETS.find((each) => each.id === id)?.strategy;
const sarathi = (tokenBudget: number) =>
  composedStrategy.parse({
    ...presetStrategy('sarathi-serve'),
    batchFormer: { type: 'decode-first', tokenBudget },
  });

const ARMS = {
  Orca: presetStrategy('orca'),
  vLLM: presetStrategy('vllm-v0'),
  'Sarathi 512': sarathi(512),
  'Sarathi 2048': sarathi(2048),
} as const;
type ArmName = keyof typeof ARMS;

const withinTbt =
  (tbtSeconds: number) =>
  ({ metrics }: ServeResult): boolean =>
    metrics.tbtSeconds.p99 <= tbtSeconds && metrics.schedulingDelaySeconds.p50 < 2;

const LIMITS = { strict: 0.1, relaxed: 0.5 } as const;

export const sarathiServe: RowCheck = {
  id: 'sarathi-serve',
  title: 'Sarathi-Serve: capacity under a limit on gaps between tokens',
  asks: 'How much more load does chunked prefill hold when no gap between tokens may be long?',
  rule: 'every running request gets one token in every iteration. what is left of the token budget goes to prompts under way and then to waiting ones, in chunks, in order of arrival. the blocks of a whole prompt are taken when it enters. the budget is chosen from the limit: 512 tokens where it is strict, 2048 where it is relaxed.',
  evidence: 'code',
  *run(seed) {
    const rates = new Map<string, number>();
    const steps = 2 * Object.keys(ARMS).length;
    let step = 0;
    for (const [limit, seconds] of Object.entries(LIMITS)) {
      for (const [name, strategy] of Object.entries(ARMS)) {
        const progress: CheckProgress = { fraction: step++ / steps, phase: `${name}, ${limit}` };
        const params = serveParams.parse({ model: 'mistral-7b', hardware: 'a100-80g', strategy });
        const found = yield* capacity(
          {
            params,
            costModel: makeCostModel(params),
            loadAt: (rate, repeat) => poissonLoad(seed + repeat, REQUESTS, rate, lengths),
            holds: withinTbt(seconds),
            seeds: SEEDS,
            start: 2,
            tolerance: 0.05,
          },
          progress,
        );
        rates.set(`${name} ${limit}`, found);
      }
    }
    const at = (name: ArmName, limit: keyof typeof LIMITS) =>
      rates.get(`${name} ${limit}`) as number;
    const names = Object.keys(ARMS) as ArmName[];
    return {
      figures: [
        {
          label: 'capacity, Sarathi with 512 tokens against vLLM, gaps up to 0.1 s',
          value: at('Sarathi 512', 'strict') / at('vLLM', 'strict'),
          unit: 'x',
          expected: { low: 2.5, high: 4.7 },
          source:
            'an earlier simulation of ours; the abstract claims up to 2.6 for this model on one A100',
        },
        {
          label: 'capacity, Sarathi with 2048 tokens against vLLM, gaps up to 0.5 s',
          value: at('Sarathi 2048', 'relaxed') / at('vLLM', 'relaxed'),
          unit: 'x',
          expected: { low: 1.3, high: 1.7 },
          source: 'an earlier simulation of ours',
        },
        {
          label: 'capacity, Orca against vLLM, gaps up to 0.1 s',
          value: at('Orca', 'strict') / at('vLLM', 'strict'),
          unit: 'x',
          expected: { low: 0.8, high: 1.25 },
          source: 'an earlier simulation of ours: nearly equal',
        },
        ...(['strict', 'relaxed'] as const).flatMap((limit) =>
          names.map((name) => ({
            label: `capacity, ${name}, ${limit}`,
            value: at(name, limit),
            unit: 'req/s',
          })),
        ),
      ],
      series: [
        {
          title: 'capacity under a limit on the 99th percentile of gaps',
          xLabel: 'limit (s)',
          yLabel: 'requests/s',
          lines: names.map((name) => ({
            name,
            x: Object.values(LIMITS),
            y: [at(name, 'strict'), at(name, 'relaxed')],
          })),
        },
      ],
      notes: [
        `Mistral 7B on A100 80 GB, roofline; ${REQUESTS} Poisson requests, ${SEEDS} seeds; prompts log-normal with median 1,730 and 90th percentile 5,696 tokens, outputs 415 and 834, at most ${MOST_TOKENS} together`,
        'capacity: the highest rate with the 99th percentile of gaps within the limit and a median scheduling delay below 2 s',
        'the roofline adds the parts of a mixed batch up, which flatters chunks; the paper has a second data set and larger models, which this does not run',
      ],
    };
  },
};
