import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../lib/random/random';
import { attainment } from '../../../lib/serving/checks/flowprefill';
import { presetOfId } from '../../../lib/serving/compose/presets';
import { simulate } from '../../../lib/serving/core/simulation';
import type { CostModel } from '../../../lib/serving/types';
import { serveParams } from '../../../lib/spec/kinds/serve';

/** The cost that the check of FlowPrefill has; decodes cost nothing worth. */
const COST: CostModel = {
  kind: 'fitted',
  label: 'as in the check',
  source: 'test',
  iterationSeconds: (f) =>
    f.prefillCount === 0
      ? 1e-6
      : 0.008 + 8.6e-5 * f.prefillTokens + 1.4e-9 * f.prefillAttentionPairs,
};
const BASE = 0.25;
const PER_TOKEN = 0.0006;
const COUNT = 600;

function prompts(seed: number, rate: number) {
  const random = createRandom(seed);
  let now = 0;
  return Array.from({ length: COUNT }, () => {
    now += random.exponential() / rate;
    const [median, p90] = random.uniform() < 0.7 ? [250, 900] : [6000, 15_000];
    const sigma = Math.log((p90 as number) / (median as number)) / 1.2816;
    const tokens = Math.max(1, Math.round((median as number) * Math.exp(sigma * random.normal())));
    const slo = BASE + PER_TOKEN * tokens;
    return { arrival: now, tokens, slo, deadline: now + slo };
  });
}

const flow = presetOfId('flowprefill');
const edf = { type: 'edf', baseSeconds: BASE, secondsPerPromptToken: PER_TOKEN };
const STRATEGIES = {
  fcfs: { ...flow, priority: { type: 'fcfs' }, preemption: { type: 'recompute' } },
  edf: {
    ...flow,
    priority: edf,
    batchFormer: { type: 'prefill-first', maxBatchedTokens: 2048, counting: 'sum' },
    chunker: { type: 'budget' },
    preemption: { type: 'recompute' },
  },
  slack: { ...flow, priority: { ...edf, type: 's-edf' } },
};

function inEngine(strategy: object, load: ReturnType<typeof prompts>): number {
  const params = serveParams.parse({ strategy, memory: { kvBlocks: 1_000_000 } });
  const workload = {
    arrivalSeconds: Float64Array.from(load, ({ arrival }) => arrival),
    promptTokens: Int32Array.from(load, ({ tokens }) => tokens),
    outputTokens: new Int32Array(load.length).fill(1),
    label: 'test',
    source: 'test',
    seed: 0,
    notes: [],
  };
  const { requests } = simulate(params, workload, COST);
  const inTime = load.filter(
    ({ deadline }, i) => (requests.firstTokenSeconds[i] as number) <= deadline,
  );
  return inTime.length / load.length;
}

/** Highest rate at which nine in ten are in time, to 3 %. */
function highest(share: (rate: number) => number): number {
  let low = 0.02;
  let high = 16;
  while (high / low > 1.03) {
    const rate = Math.sqrt(low * high);
    if (share(rate) >= 0.9) low = rate;
    else high = rate;
  }
  return low;
}

describe('FlowPrefill on the general engine', () => {
  it('holds as much load, over chunks and over first come, as the check that knows nothing else', () => {
    const rates = (strategy: object) => highest((rate) => inEngine(strategy, prompts(1, rate)));
    const engine = {
      fcfs: rates(STRATEGIES.fcfs),
      edf: rates(STRATEGIES.edf),
      slack: rates(STRATEGIES.slack),
    };
    const model = {
      fcfs: highest((rate) => attainment(prompts(1, rate), { type: 'fcfs' })),
      edf: highest((rate) => attainment(prompts(1, rate), { type: 'edf', chunkTokens: 2048 })),
      slack: highest((rate) =>
        attainment(prompts(1, rate), { type: 's-edf', operatorSeconds: 0.004 }),
      ),
    };
    expect(engine.slack / engine.fcfs).toBeGreaterThan(3);
    expect(engine.fcfs / model.fcfs).toBeGreaterThan(0.75);
    expect(engine.fcfs / model.fcfs).toBeLessThan(1.33);
    expect(engine.slack / model.slack).toBeGreaterThan(0.75);
    expect(engine.slack / model.slack).toBeLessThan(1.33);
    // The engine's deadlines say who enters: what is under way goes on first, and holds the others up.
    expect(engine.edf).toBeLessThan(1.1 * model.edf);
    expect(model.slack / model.edf).toBeGreaterThan(2);
  });
});
