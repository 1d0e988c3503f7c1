import { createRandom } from '../../random/random';
import { quantileSorted } from '../../stats/percentiles';
import {
  type Chat,
  copySeconds,
  type SwapCopies,
  type SwapPolicy,
  type SwapServer,
  serveSwapping,
} from './swap-server';
import type { CheckProgress, CheckResult, RowCheck } from './types';

const SEEDS = 3;
const CHATS = 90;
const CHATS_PER_SECOND = 1;
const FREQUENCIES = [0.005, 0.01, 0.02, 0.04];
const FREQUENCY = 0.02;
const BLOCK_TOKENS = 16;
const GROUP_BLOCKS = 60;

const BLOCKS: SwapCopies = {
  layers: 32,
  // Keys and values of 8 heads of 128 numbers of two bytes.
  bytesPerTokenAndLayer: 4096,
  bytesPerSecond: 25e9,
  callSeconds: 10e-6,
  runTokens: BLOCK_TOKENS,
};
const GROUPS: SwapCopies = { ...BLOCKS, runTokens: GROUP_BLOCKS * BLOCK_TOKENS };
/** An 8B model on a card of 24 GB. */
const SERVER: SwapServer = {
  memoryTokens: 40_000,
  iterationSeconds: 0.028,
  iterationSecondsPerSeat: 0.0003,
  promptTokensPerSecond: 5000,
  reorderEvery: 1 / FREQUENCY,
};

const POLICIES: Readonly<Record<string, SwapPolicy>> = {
  'block by block, waiting': { copies: BLOCKS, isAsynchronous: false, keepsCopy: false },
  'groups, waiting': { copies: GROUPS, isAsynchronous: false, keepsCopy: false },
  'groups, beside computing': { copies: GROUPS, isAsynchronous: true, keepsCopy: false },
  'groups, beside computing, copies kept': {
    copies: GROUPS,
    isAsynchronous: true,
    keepsCopy: true,
  },
};
const NAMES = Object.keys(POLICIES);
const [BASE, , ASYNC, ALL] = NAMES as [string, string, string, string];

/** Conversations of five to six turns in the mean, lengths log-normal. */
export function chats(seed: number, count: number, perSecond: number): readonly Chat[] {
  const random = createRandom(seed);
  let startSeconds = 0;
  const length = (median: number) =>
    Math.min(2000, Math.max(4, Math.round(median * Math.exp(0.9 * random.normal()))));
  return Array.from({ length: count }, () => {
    startSeconds += random.exponential() / perSecond;
    const turns = Array.from({ length: random.integer(1, 10) }, () => ({
      promptTokens: length(120),
      outputTokens: length(180),
      thinkSeconds: 5 * random.exponential(),
    }));
    return { startSeconds, turns };
  });
}

interface Point {
  readonly ttftP99: number;
  readonly gapP999: number;
  readonly stallShare: number;
  readonly movedTokens: number;
}

function* run(seed: number): Generator<CheckProgress, CheckResult> {
  const points = new Map<string, Point>();
  const jobs = FREQUENCIES.flatMap((frequency) => NAMES.map((name) => ({ frequency, name })));
  for (const [i, { frequency, name }] of jobs.entries()) {
    const runs: Point[] = [];
    for (let repeat = 0; repeat < SEEDS; repeat++) {
      yield { fraction: i / jobs.length, phase: `${name}, ${frequency} per iteration` };
      const { ttftSeconds, gapSeconds, stallShare, movedTokens } = serveSwapping(
        chats(seed + repeat, CHATS, CHATS_PER_SECOND),
        { ...SERVER, reorderEvery: Math.round(1 / frequency) },
        POLICIES[name] as SwapPolicy,
        createRandom(seed + repeat).fork('order'),
      );
      runs.push({
        ttftP99: quantileSorted(ttftSeconds, 0.99),
        gapP999: quantileSorted(gapSeconds, 0.999),
        stallShare,
        movedTokens,
      });
    }
    const mean = (key: keyof Point) => runs.reduce((sum, each) => sum + each[key], 0) / SEEDS;
    points.set(`${name} ${frequency}`, {
      ttftP99: mean('ttftP99'),
      gapP999: mean('gapP999'),
      stallShare: mean('stallShare'),
      movedTokens: mean('movedTokens'),
    });
  }
  const at = (name: string, frequency: number) => points.get(`${name} ${frequency}`) as Point;
  const gain = (frequency: number) => at(BASE, frequency).ttftP99 / at(ALL, frequency).ttftP99;
  const sizes = [16, 64, 256, 1024, 4096];
  return {
    figures: [
      {
        label: `99th percentile of TTFT, block by block against all three, ${FREQUENCY} orders per iteration`,
        value: gain(FREQUENCY),
        unit: 'x',
        expected: { low: 2, high: 6 },
        source: 'the pass mark; the abstract claims 1.4 to 11.2 on tails against vLLM',
      },
      {
        label: `that gain, ${FREQUENCIES.at(-1)} against ${FREQUENCIES[0]} orders per iteration`,
        value: gain(FREQUENCIES.at(-1) as number) / gain(FREQUENCIES[0] as number),
        unit: 'x',
        expected: { low: 1 },
        source: 'the pass mark: gains grow with how often the order changes',
      },
      {
        label: '99.9th percentile of gaps between tokens, block by block against all three',
        value: at(BASE, FREQUENCY).gapP999 / at(ALL, FREQUENCY).gapP999,
        unit: 'x',
        expected: { low: 1.4, high: 11.2 },
        source: 'a claim of the abstract',
      },
      {
        label: 'KV moved, keeping copies against not',
        value: at(ALL, FREQUENCY).movedTokens / at(ASYNC, FREQUENCY).movedTokens,
        unit: 'x',
        expected: { high: 1 },
        source: 'arithmetic: only what is new goes out again',
      },
      {
        label: 'a swap of 1,024 tokens, block by block against groups',
        value: copySeconds(1024, BLOCKS) / copySeconds(1024, GROUPS),
        unit: 'x',
      },
      ...NAMES.map((name) => ({
        label: `time in which nothing is computed for copies, ${name}`,
        value: 100 * at(name, FREQUENCY).stallShare,
        unit: '%',
      })),
    ],
    series: [
      {
        title: '99th percentile of TTFT',
        xLabel: 'orders per iteration',
        yLabel: 'seconds',
        lines: NAMES.map((name) => ({
          name,
          x: FREQUENCIES,
          y: FREQUENCIES.map((frequency) => at(name, frequency).ttftP99),
        })),
      },
      {
        title: 'Time of one swap',
        xLabel: 'tokens',
        yLabel: 'milliseconds',
        lines: [
          { name: 'blocks', x: sizes, y: sizes.map((each) => 1e3 * copySeconds(each, BLOCKS)) },
          { name: 'groups', x: sizes, y: sizes.map((each) => 1e3 * copySeconds(each, GROUPS)) },
        ],
      },
    ],
    notes: [
      `${CHATS} conversations of 1 to 10 turns at ${CHATS_PER_SECOND}/s, ${SEEDS} seeds; an 8B model on a card of 24 GB as constants: ${SERVER.memoryTokens} tokens of memory, ${1e3 * SERVER.iterationSeconds} ms an iteration and ${1e3 * SERVER.iterationSecondsPerSeat} ms a request, ${SERVER.promptTokensPerSecond} prompt tokens/s. A copy costs ${1e6 * BLOCKS.callSeconds} us and ${BLOCKS.bytesPerSecond / 1e9} GB/s, blocks of ${BLOCK_TOKENS} tokens, groups of up to ${GROUP_BLOCKS} of them: assumed.`,
      'The order is drawn at random, which is what the paper does for fairness it does not model; its Markov pattern is not run. KV between turns is in host memory.',
      'A simulator of its own: groups always lie together here, where an allocator must find the room, and swapping by groups or beside computing is no part of a composed strategy yet.',
    ],
  };
}

/** FastSwitch (2024): cheap preemption for orders that change often. */
export const fastswitch: RowCheck = {
  id: 'fastswitch',
  title: 'FastSwitch: swapping that costs little',
  asks: 'How much of the tail is due to copying KV block by block when the order of requests changes often?',
  rule: 'an outside order says who may be in memory, and changes every few dozen iterations; who loses its place is swapped to host memory. KV lies in groups of neighbouring blocks, so that a swap is a few large copies. copies run beside computing, and a request joins when its KV is back. the copy in host memory is kept over turns, and only what is new goes out again.',
  evidence: 'abstract',
  run,
};
