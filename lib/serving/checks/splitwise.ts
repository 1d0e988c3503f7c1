import { type ServeParams, serveParams } from '../../spec/kinds/serve';
import { presetOfId } from '../compose/presets';
import { makeCostModel } from '../cost/make-cost-model';
import { kvBytesPerToken } from '../presets/kv-plan';
import { MODELS } from '../presets/models';
import type { ServeResult } from '../types';
import { logNormal, poissonLoad, simulateSliced } from './capacity';
import type { CheckProgress, CheckResult, RowCheck } from './types';

const SEEDS = 3;
const REQUESTS = 400;
const RATES = [2, 4, 6, 8];
const RATE = 6;
const LINK_GIGABYTES_PER_SECOND = 200;
const MODEL = MODELS['llama-3.1-8b'];
/** Medians and 90th percentiles near those of the conversations that the paper names. */
const PROMPT = logNormal(1020, 2700);
const OUTPUT = logNormal(130, 420);

const apart = (overlap: number): ServeParams =>
  serveParams.parse({
    model: MODEL.id,
    hardware: 'a100-80g',
    strategy: {
      ...presetOfId('splitwise'),
      topology: {
        type: 'pools',
        prefillReplicas: 2,
        decodeReplicas: 2,
        linkGigabytesPerSecond: LINK_GIGABYTES_PER_SECOND,
        overlap,
      },
    },
  });
const ARMS = {
  'two and two, sent while computed': apart(0.9),
  'two and two, sent afterwards': apart(0),
  'four that do both': serveParams.parse({
    model: MODEL.id,
    hardware: 'a100-80g',
    strategy: {
      ...presetOfId('splitwise'),
      topology: { type: 'colocated', replicas: 4 },
    },
  }),
} as const;
type Arm = keyof typeof ARMS;
const NAMES = Object.keys(ARMS) as Arm[];
const [SENT, AFTER, BOTH] = NAMES as [Arm, Arm, Arm];

interface Point {
  readonly stall: number;
  readonly ttft: number;
  readonly linkSeconds: number;
}

const linkSeconds = ({ lanes }: ServeResult): number =>
  lanes
    .filter(({ role }) => role === 'link')
    .reduce((sum, { durationSeconds }) => sum + durationSeconds.reduce((a, b) => a + b, 0), 0);

function* run(seed: number): Generator<CheckProgress, CheckResult> {
  const points = new Map<string, Point>();
  const jobs = RATES.flatMap((rate) => NAMES.map((arm) => ({ rate, arm })));
  for (const [i, { rate, arm }] of jobs.entries()) {
    const progress = { fraction: i / jobs.length, phase: `${arm} at ${rate}/s` };
    const runs: Point[] = [];
    for (let repeat = 0; repeat < SEEDS; repeat++) {
      const load = poissonLoad(seed + repeat, REQUESTS, rate, (normal) => [
        PROMPT(normal),
        OUTPUT(normal),
      ]);
      const result = yield* simulateSliced(ARMS[arm], load, makeCostModel(ARMS[arm]), progress);
      const { metrics } = result;
      runs.push({
        stall: metrics.tbtSeconds.max,
        ttft: metrics.ttftSeconds.p50,
        linkSeconds: linkSeconds(result) / metrics.completed,
      });
    }
    const mean = (key: keyof Point) => runs.reduce((sum, each) => sum + each[key], 0) / SEEDS;
    points.set(`${arm} ${rate}`, {
      stall: mean('stall'),
      ttft: mean('ttft'),
      linkSeconds: mean('linkSeconds'),
    });
  }
  const at = (arm: Arm, rate: number) => points.get(`${arm} ${rate}`) as Point;
  const wholeSeconds = (1500 * kvBytesPerToken(MODEL)) / (LINK_GIGABYTES_PER_SECOND * 1e9);
  return {
    figures: [
      {
        label: `longest gap between two tokens, doing both against apart, ${RATE} requests/s`,
        value: at(BOTH, RATE).stall / at(SENT, RATE).stall,
        unit: 'x',
        expected: { low: 1 },
        source: 'arithmetic: no prompt runs where tokens are made',
      },
      {
        label: `median TTFT, apart against doing both, ${RATES[0]} requests/s`,
        value: at(SENT, RATES[0] as number).ttft / at(BOTH, RATES[0] as number).ttft,
        unit: 'x',
        expected: { high: 1.2 },
        source: 'our pass mark: half of the machines compute prompts about as soon at low load',
      },
      {
        label: 'time that a request waits for the link, sent while computed against afterwards',
        value: at(SENT, RATE).linkSeconds / at(AFTER, RATE).linkSeconds,
        unit: 'x',
        expected: { low: 0.1, high: 0.12 },
        source:
          "the authors' simulator: the overlap counts as ten times the bandwidth; latency stays",
      },
      {
        label: 'a transfer of 1,500 tokens of KV, sent afterwards',
        value: 1e3 * wholeSeconds,
        unit: 'ms',
      },
    ],
    series: [
      {
        title: 'Longest gap between two tokens',
        xLabel: 'requests per second',
        yLabel: 'seconds',
        lines: NAMES.map((name) => ({
          name,
          x: RATES,
          y: RATES.map((rate) => at(name, rate).stall),
        })),
      },
    ],
    notes: [
      `${MODEL.label} on four A100 by roofline, ${REQUESTS} Poisson requests with log-normal lengths (1,020 and 130 in the median), ${SEEDS} seeds; a link of ${LINK_GIGABYTES_PER_SECOND} GB/s.`,
      'The mixed pool, to which the published system lends machines when a queue is above 8,192 tokens or memory is full, is not there; its figures of cost and power are not repeated.',
    ],
  };
}

/** Splitwise (2024): prompts and tokens on machines of their own. */
export const splitwise: RowCheck = {
  id: 'splitwise',
  title: 'Splitwise: prompts and tokens on machines of their own',
  asks: 'What do tokens gain where no prompt runs beside them, and what does sending KV cost?',
  rule: 'prompts run in one pool and decoding in another, each request going to the machine with the fewest pending tokens. KV is sent while the prompt is computed, layer by layer, so that a tenth of the transfer is waited for. machines are lent to a third pool that does both when a queue gets long.',
  evidence: 'code',
  run,
};
