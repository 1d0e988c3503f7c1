import { createRandom } from '../../random/random';
import { serveParams } from '../../spec/kinds/serve';
import { makeCostModel } from '../cost/make-cost-model';
import { simulateSliced } from './capacity';
import { type Session, sessionLoad } from './session-load';
import type { CheckProgress, CheckResult, RowCheck } from './types';

const SEEDS = 3;
const ROUNDS = 8;
const USERS = [10, 20, 30, 40, 60];
const MOST_USERS = 40;
const BLOCK_TOKENS = 128;
/** Longest prompt where the oldest part of a history is cut off. */
const CUT_ABOVE = 128 * BLOCK_TOKENS;

/** Users with a history of 10 to 20 thousand tokens who ask eight questions, about a second after each answer. */
export function askingUsers(seed: number, users: number): readonly Session[] {
  const random = createRandom(seed);
  return Array.from({ length: users }, (_, i) => ({
    startSeconds: i * 0.5,
    turns: Array.from({ length: ROUNDS }, (_, round) => ({
      ownTokens: BLOCK_TOKENS * (round === 0 ? random.integer(80, 160) : 1),
      outputTokens: BLOCK_TOKENS,
      gapSeconds: random.exponential(),
    })),
  }));
}

const HOST = { name: 'host', capacityGigabytes: 128 };
const DISK = {
  name: 'disk',
  capacityGigabytes: 1000,
  readGigabytesPerSecond: 5,
  writeGigabytesPerSecond: 3,
  latencyMicroseconds: 100,
};
const served = (hardware: string, levels: readonly object[]) =>
  serveParams.parse({
    model: 'llama-3.1-8b',
    hardware,
    memory: { blockTokens: BLOCK_TOKENS },
    strategy: {
      type: 'composed',
      batchFormer: { type: 'decode-first', tokenBudget: 2048 },
      preemption: { type: 'recompute', victim: 'last-admitted' },
      prefixIndex: { type: 'block-hash' },
      tierStore:
        levels.length === 0
          ? { type: 'none' }
          : { type: 'tiers', levels, load: 'always', overlap: 'layer-wise', write: 'through' },
    },
  });
const ARMS = {
  'accelerator memory alone': served('a100-80g', []),
  'with host memory': served('a100-80g', [HOST]),
  'with a disk': served('a100-80g', [DISK]),
  'small card alone': served('rtx-4090', []),
  'small card with host memory': served('rtx-4090', [HOST]),
} as const;
type Arm = keyof typeof ARMS;
const NAMES = ['accelerator memory alone', 'with host memory', 'with a disk'] as const;
const SMALL = ['small card alone', 'small card with host memory'] as const;
const SMALL_USERS = 20;

interface Point {
  /** Share of the prompt tokens that were not computed. */
  readonly hitShare: number;
  readonly requestsPerSecond: number;
  readonly ttftSeconds: number;
  readonly historyOverMemory: number;
}

function* measure(
  seed: number,
  users: number,
  arm: Arm,
  cutAbove: number,
  progress: CheckProgress,
): Generator<CheckProgress, Point> {
  const points: Point[] = [];
  for (let repeat = 0; repeat < SEEDS; repeat++) {
    const sessions = askingUsers(seed + repeat, users);
    const load = sessionLoad(sessions, BLOCK_TOKENS, cutAbove);
    const params = ARMS[arm];
    const { metrics, prefixCache, kvPlan } = yield* simulateSliced(
      params,
      load,
      makeCostModel(params),
      progress,
    );
    const { queriedTokens, hitTokens } = prefixCache ?? { queriedTokens: Number.NaN, hitTokens: 0 };
    const history = sessions.reduce(
      (sum, { turns }) => sum + turns.reduce((all, t) => all + t.ownTokens + t.outputTokens, 0),
      0,
    );
    points.push({
      hitShare: hitTokens / queriedTokens,
      requestsPerSecond: metrics.requestsPerSecond,
      ttftSeconds: metrics.ttftSeconds.mean,
      historyOverMemory: history / (kvPlan.blocks * kvPlan.blockTokens),
    });
  }
  const mean = (key: keyof Point) => points.reduce((sum, each) => sum + each[key], 0) / SEEDS;
  return {
    hitShare: mean('hitShare'),
    requestsPerSecond: mean('requestsPerSecond'),
    ttftSeconds: mean('ttftSeconds'),
    historyOverMemory: mean('historyOverMemory'),
  };
}

function* run(seed: number): Generator<CheckProgress, CheckResult> {
  const jobs = [
    ...USERS.flatMap((users) => NAMES.map((arm) => ({ users, arm, cutAbove: Infinity }))),
    ...SMALL.map((arm) => ({ users: SMALL_USERS, arm, cutAbove: Infinity })),
    { users: MOST_USERS, arm: 'with host memory' as const, cutAbove: CUT_ABOVE },
  ];
  const points = new Map<string, Point>();
  for (const [i, { users, arm, cutAbove }] of jobs.entries()) {
    const progress = { fraction: i / jobs.length, phase: `${arm}, ${users} users` };
    const point = yield* measure(seed, users, arm, cutAbove, progress);
    points.set(`${arm} ${users} ${cutAbove < Infinity ? 'cut' : ''}`, point);
  }
  const at = (arm: Arm, users: number, cut: 'cut' | '' = '') =>
    points.get(`${arm} ${users} ${cut}`) as Point;
  const [none, host, disk] = NAMES;
  const gain = (arm: Arm) =>
    at(arm, MOST_USERS).requestsPerSecond / at(none, MOST_USERS).requestsPerSecond;
  const ours = 'an earlier simulation of ours; the abstract claims up to 15';
  const ratio = at(none, MOST_USERS).historyOverMemory;
  return {
    figures: [
      {
        label: `prompt tokens found, ${none}, ${MOST_USERS} users`,
        value: 100 * at(none, MOST_USERS).hitShare,
        unit: '%',
        expected: { low: 10, high: 30 },
        source: 'an earlier simulation of ours',
      },
      ...[host, disk].map((arm) => ({
        label: `prompt tokens found, ${arm}`,
        value: 100 * at(arm, MOST_USERS).hitShare,
        unit: '%',
        expected: { low: 80, high: 95 },
        source: 'an earlier simulation of ours',
      })),
      ...[host, disk].map((arm) => ({
        label: `requests per second, ${arm} against ${none}, histories ${ratio.toFixed(1)} times the memory`,
        value: gain(arm),
        unit: 'x',
        expected: { low: 3, high: 15 },
        source: ours,
      })),
      {
        label: 'prompt tokens found, whole histories against cut ones',
        value: at(host, MOST_USERS).hitShare / at(host, MOST_USERS, 'cut').hitShare,
        unit: 'x',
        expected: { low: 1.5, high: 3 },
        source: 'a claim of the paper: cutting halves the hits; half as much again either way',
      },
      {
        label: `requests per second, RTX 4090, ${host} against without, ${SMALL_USERS} users`,
        value:
          at(SMALL[1], SMALL_USERS).requestsPerSecond / at(SMALL[0], SMALL_USERS).requestsPerSecond,
        unit: 'x',
      },
      {
        label: `mean TTFT, ${none} against ${host}`,
        value: at(none, MOST_USERS).ttftSeconds / at(host, MOST_USERS).ttftSeconds,
        unit: 'x',
      },
    ],
    series: [
      {
        title: 'Requests per second',
        xLabel: 'users',
        yLabel: 'requests/s',
        lines: NAMES.map((name) => ({
          name,
          x: USERS,
          y: USERS.map((users) => at(name, users).requestsPerSecond),
        })),
      },
      {
        title: 'Prompt tokens that need not be computed',
        xLabel: 'users',
        yLabel: 'share',
        lines: NAMES.map((name) => ({
          name,
          x: USERS,
          y: USERS.map((users) => at(name, users).hitShare),
        })),
      },
    ],
    notes: [
      `Llama 3.1 8B on an A100 80 GB, roofline; users with histories of ${80 * BLOCK_TOKENS} to ${160 * BLOCK_TOKENS} tokens ask ${ROUNDS} questions of ${BLOCK_TOKENS} tokens, answered in as many, a second of thought between; ${SEEDS} seeds. The first prompt of each user is computed by everybody, which bounds the share found.`,
      `Host: ${HOST.capacityGigabytes} GB at 25 GB/s; disk: ${DISK.readGigabytesPerSecond} GB/s read, ${DISK.writeGigabytesPerSecond} GB/s written; all KV is written as it is made and loaded layer by layer beside the prefill. Cut histories keep the last ${CUT_ABOVE} tokens.`,
      'Users ask nearly in turn, and then whoever drops what was least recently used finds nothing as soon as histories exceed the memory: less than where some users ask more often. How much throughput is gained depends on what decoding leaves: on the card of 24 GB only three histories decode at a time, and reading weights takes most of the time. Assumed speeds of a common host. Neither the remote store nor moving, pinning and compressing is run here.',
    ],
  };
}

/** LMCache (2025): a layer that keeps KV below the accelerator's memory. */
export const lmcache: RowCheck = {
  id: 'lmcache',
  title: 'LMCache: histories that do not fit',
  asks: 'What is gained by keeping KV in host memory or on a disk when histories do not fit beside the model?',
  rule: 'tokens are hashed in chunks of 256, each with all before it. KV of a chunk is written to the levels below accelerator memory as it is made. a request loads what follows its cached prefix from the fastest level that has it, layer by layer beside the prefill. every level drops what was least recently used.',
  evidence: 'abstract',
  run,
};
