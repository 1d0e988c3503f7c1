import { createRandom } from '../../random/random';
import { serveParams } from '../../spec/kinds/serve';
import type { Workload } from '../../workload/types';
import { makeCostModel } from '../cost/make-cost-model';
import { simulateSliced } from './capacity';
import type { CheckProgress, CheckResult, RowCheck } from './types';

const SEEDS = 3;
const REQUESTS = 600;
const CHUNKS = 2000;
const CHUNKS_EACH = 5;
const CHUNK_TOKENS = 512;
const QUESTION_TOKENS = 128;
const OUTPUT_TOKENS = 64;
const EXPONENTS = [0.6, 0.8, 1, 1.2];
const EXPONENT = 1;

/**
 * Questions behind chunks of text that a search found: `CHUNKS_EACH` different ones of `chunks`, by
 * Zipf's law, in the order in which they were drawn. All are there from the start.
 */
export function chunkQuestions(
  seed: number,
  requests: number,
  chunks: number,
  exponent: number,
): Workload {
  const random = createRandom(seed);
  const sums = new Float64Array(chunks);
  let sum = 0;
  for (let i = 0; i < chunks; i++) {
    sum += (i + 1) ** -exponent;
    sums[i] = sum;
  }
  const draw = () => {
    const at = random.uniform() * sum;
    const found = sums.findIndex((each) => each > at);
    return found < 0 ? chunks - 1 : found;
  };
  const ids = Array.from({ length: requests }, () => {
    const drawn = new Set<number>();
    while (drawn.size < Math.min(CHUNKS_EACH, chunks)) drawn.add(draw());
    return [...drawn];
  });
  const offsets = Int32Array.from({ length: requests + 1 }, (_, i) => i * (ids[0]?.length ?? 0));
  const prompt = CHUNKS_EACH * CHUNK_TOKENS + QUESTION_TOKENS;
  return {
    arrivalSeconds: new Float64Array(requests),
    promptTokens: new Int32Array(requests).fill(prompt),
    outputTokens: new Int32Array(requests).fill(OUTPUT_TOKENS),
    content: { tokensPerId: CHUNK_TOKENS, offsets, ids: Int32Array.from(ids.flat()) },
    label: `${requests} questions behind ${CHUNKS_EACH} chunks each`,
    source: 'made for a check',
    seed,
    notes: [],
  };
}

const served = (parts: object) =>
  serveParams.parse({
    model: 'llama-3.1-8b',
    hardware: 'a100-80g',
    memory: { blockTokens: 128 },
    strategy: {
      type: 'composed',
      batchFormer: { type: 'decode-first', tokenBudget: 2048 },
      preemption: { type: 'recompute', victim: 'last-admitted' },
      admission: { type: 'watermark', maxSequences: 32 },
      ...parts,
    },
  });
const TIERS = { type: 'tiers', levels: [{ name: 'host' }], overlap: 'layer-wise' };
const CHUNK_INDEX = { type: 'chunk', chunkTokens: CHUNK_TOKENS };
const ARMS = {
  'no cache': served({}),
  'prefix cache': served({ prefixIndex: { type: 'block-hash' }, tierStore: TIERS }),
  'a fixed share': served({
    prefixIndex: CHUNK_INDEX,
    reuseRepair: { type: 'fraction', fraction: 0.25 },
    tierStore: TIERS,
  }),
  'Cache-Craft': served({
    prefixIndex: CHUNK_INDEX,
    reuseRepair: { type: 'per-chunk' },
    eviction: { type: 'gdsf' },
    tierStore: TIERS,
  }),
} as const;
type Arm = keyof typeof ARMS;
const NAMES = Object.keys(ARMS) as Arm[];

interface Point {
  /** Prompt tokens that were computed, over all. */
  readonly computed: number;
  readonly requestsPerSecond: number;
  readonly e2eSeconds: number;
}

function* run(seed: number): Generator<CheckProgress, CheckResult> {
  const points = new Map<string, Point>();
  const jobs = EXPONENTS.flatMap((exponent) => NAMES.map((arm) => ({ exponent, arm })));
  for (const [i, { exponent, arm }] of jobs.entries()) {
    const progress = { fraction: i / jobs.length, phase: `${arm}, exponent ${exponent}` };
    let computed = 0;
    let requestsPerSecond = 0;
    let e2eSeconds = 0;
    for (let repeat = 0; repeat < SEEDS; repeat++) {
      const load = chunkQuestions(seed + repeat, REQUESTS, CHUNKS, exponent);
      const params = ARMS[arm];
      const result = yield* simulateSliced(params, load, makeCostModel(params), progress);
      const { prefixCache: cache, metrics } = result;
      computed += cache === undefined ? 1 : 1 - cache.hitTokens / cache.queriedTokens;
      requestsPerSecond += metrics.requestsPerSecond;
      e2eSeconds += metrics.e2eSeconds.mean;
    }
    points.set(`${arm} ${exponent}`, {
      computed: computed / SEEDS,
      requestsPerSecond: requestsPerSecond / SEEDS,
      e2eSeconds: e2eSeconds / SEEDS,
    });
  }
  const at = (arm: Arm, exponent = EXPONENT) => points.get(`${arm} ${exponent}`) as Point;
  const saved = (over: Arm, of: Arm = 'Cache-Craft') =>
    100 * (1 - at(of).computed / at(over).computed);
  return {
    figures: [
      {
        label: 'prompt tokens not computed, of those that prefix caching computes',
        value: saved('prefix cache'),
        unit: '%',
        expected: { low: 45, high: 55 },
        source: 'a claim of the abstract: 51',
      },
      {
        label: 'prompt tokens not computed, of all',
        value: saved('no cache'),
        unit: '%',
        expected: { low: 70, high: 80 },
        source: 'a claim of the abstract: 75',
      },
      {
        label: 'requests per second, all at once, against prefix caching',
        value: at('Cache-Craft').requestsPerSecond / at('prefix cache').requestsPerSecond,
        unit: 'x',
        expected: { low: 1.4, high: 1.8 },
        source: 'a claim of the abstract: 1.6',
      },
      {
        label: 'the same with a quarter of every chunk computed again',
        value: saved('prefix cache', 'a fixed share'),
        unit: '%',
      },
      {
        label: 'prompt tokens that a prefix cache finds',
        value: 100 * (1 - at('prefix cache').computed),
        unit: '%',
      },
    ],
    series: [
      {
        title: 'Prompt tokens computed, over all',
        xLabel: "exponent of Zipf's law",
        yLabel: 'share',
        lines: NAMES.map((name) => ({
          name,
          x: EXPONENTS,
          y: EXPONENTS.map((exponent) => at(name, exponent).computed),
        })),
      },
    ],
    notes: [
      `Llama 3.1 8B on an A100 80 GB, roofline; ${REQUESTS} questions of ${QUESTION_TOKENS} tokens behind ${CHUNKS_EACH} of ${CHUNKS} chunks of ${CHUNK_TOKENS} tokens in random order, all at once, ${OUTPUT_TOKENS} tokens out; ${SEEDS} seeds. Every cache has host memory below.`,
      'The abstract counts against a production trace whose prompts share beginnings; here none do but by chance, and every cache begins empty, so more is computed than there.',
      'A chunk looks 0.3 at what is before it, one figure for all; the paper measures it per chunk and stops early where little is looked at. What the repair does to the answers is not simulated.',
    ],
  };
}

/** Cache-Craft (2025): chunks kept in versions, repaired as far as their surroundings differ. */
export const cacheCraft: RowCheck = {
  id: 'cache-craft',
  title: 'Cache-Craft: chunks repaired by need',
  asks: 'How much prefill is saved when chunks of text are reused wherever they stand?',
  rule: 'KV of a chunk is kept with the chunks that stood before it. to reuse it, a share of its tokens is computed again: alpha x (1 - overlap of what stood before with what stands before now) x how much the chunk looks outside itself. above a threshold all of it is computed, and kept as another version. the least of frequency x computing saved / share goes first. what is below accelerator memory is loaded while the request waits.',
  evidence: 'abstract',
  run,
};
