import { serveParams } from '../../spec/kinds/serve';
import { createLink } from '../core/link';
import { makeCostModel } from '../cost/make-cost-model';
import { poissonLoad, simulateSliced } from './capacity';
import { type GatewayLoad, gatewaySuccess } from './gateway';
import type { RowCheck } from './types';

const ACCELERATORS = 12;
const REQUESTS = 600;
const SEEDS = 3;
const LENGTHS = [1024, 128] as const;

/** Tokens of a block, of a prompt, and the control cost of a message over the time of a block's bytes. */
const BLOCK_TOKENS = 16;
const PROMPT_TOKENS = 2048;
const CONTROL_SHARES = [0.2, 0.4, 0.8, 1.6] as const;

const GATEWAY: GatewayLoad = {
  instances: 8,
  ratePerSecond: 12,
  gapCv: 2,
  meanServiceSeconds: 0.4,
  deadlineSeconds: 4,
  requests: 20_000,
};
const GATEWAY_RATES = [4, 6, 8, 10, 12, 14, 16];

/** Seconds to move a prompt's KV in messages of `tokens` each, over a link with unit time per block. */
function transferSeconds(tokens: number, controlShare: number): number {
  const link = createLink(1 / BLOCK_TOKENS, 1, controlShare);
  for (let sent = 0; sent < PROMPT_TOKENS; sent += tokens) link.send(sent, tokens, 0);
  let end = 0;
  while (link.nextEndSeconds() < Infinity) {
    end = link.nextEndSeconds();
    link.finish();
  }
  return end;
}

export const pdServe: RowCheck = {
  id: 'pd-serve',
  title: 'P/D-Serve',
  asks: 'What does a wrong ratio of prefill to decode replicas cost, a gateway with old reports, and KV sent block by block?',
  rule: 'prefill and decode replicas are in balance when n_p b_p / T_p equals n_d b_d / T_d: as many requests a second come out of one pool as go into the other. no prefill replica has a queue: the gateway asks one, which takes the request if it is idle and rejects it otherwise, and asks others until the TTFT deadline. the KV of a prompt is sent as one message from a contiguous buffer and put into blocks by the receiver. leaves out: groups by scenario, the slow loop that changes the ratio, and failures.',
  evidence: 'third-party',
  *run(seed) {
    const counts = Array.from({ length: ACCELERATORS - 1 }, (_, i) => i + 1);
    const rates: number[] = [];
    let step = 0;
    for (const prefillReplicas of counts) {
      const params = serveParams.parse({
        strategy: {
          type: 'distserve',
          prefillReplicas,
          decodeReplicas: ACCELERATORS - prefillReplicas,
          maxDecodeSequences: 32,
          linkGigabytesPerSecond: 100,
        },
      });
      const costModel = makeCostModel(params);
      let sum = 0;
      for (let repeat = 0; repeat < SEEDS; repeat++) {
        const progress = {
          fraction: step++ / (counts.length * SEEDS),
          phase: `${prefillReplicas} prefill of ${ACCELERATORS}`,
        };
        const load = poissonLoad(seed + repeat, REQUESTS, 1e4, () => LENGTHS);
        const { metrics } = yield* simulateSliced(params, load, costModel, progress);
        sum += metrics.requestsPerSecond / SEEDS;
        yield progress;
      }
      rates.push(sum);
    }
    const peak = Math.max(...rates);
    const best = counts[rates.indexOf(peak)] as number;
    const at = (prefill: number) => rates[prefill - 1] as number;
    const ratio = best / (ACCELERATORS - best);
    /** Prefill replicas whose ratio to the decode ones is `times` that of the best split. */
    const off = (times: number) => {
      const wanted = (ACCELERATORS * ratio * times) / (1 + ratio * times);
      return Math.min(ACCELERATORS - 1, Math.max(1, Math.round(wanted)));
    };
    const worse = Math.min(at(off(2)), at(off(0.5)));
    // One side alone sets the rate on either side of the balance: its slope gives that side's own rate.
    const balance = at(ACCELERATORS - 1) / (at(1) + at(ACCELERATORS - 1));
    const saved = (share: number) =>
      1 - transferSeconds(PROMPT_TOKENS, share) / transferSeconds(BLOCK_TOKENS, share);
    const reports: number[] = [];
    const retries: number[] = [];
    for (const ratePerSecond of GATEWAY_RATES) {
      const load = { ...GATEWAY, ratePerSecond };
      yield { fraction: 0.99, phase: `gateway at ${ratePerSecond} /s` };
      reports.push(gatewaySuccess(load, { type: 'reports', intervalSeconds: 0.1 }, seed));
      retries.push(gatewaySuccess(load, { type: 'reject-retry' }, seed));
    }
    const busy = GATEWAY_RATES.indexOf(GATEWAY.ratePerSecond);
    return {
      figures: [
        {
          label: 'throughput at the best ratio over the worse of twice and half of it',
          value: peak / worse,
          unit: 'x',
          expected: { low: 1.6 },
          source: 'third-party account of the paper: at least 60 % from the ratio',
        },
        { label: 'best number of prefill replicas of 12', value: best, unit: 'replicas' },
        {
          label: 'prefill replicas by the balance equation, from the two outermost splits',
          value: ACCELERATORS * balance,
          unit: 'replicas',
          expected: { low: best - 1, high: best + 1 },
          source: 'the balance equation itself',
        },
        {
          label: `prefills in time at ${GATEWAY.ratePerSecond} requests/s, shortest queue by reports 100 ms old`,
          value: 100 * (reports[busy] as number),
          unit: '%',
          expected: { low: 57, high: 80 },
          source: 'third-party account of the paper: 57 %, under a load that we do not know',
        },
        {
          label: `prefills in time at ${GATEWAY.ratePerSecond} requests/s, reject and retry`,
          value: 100 * (retries[busy] as number),
          unit: '%',
          expected: { low: 99 },
          source: 'third-party account of the paper',
        },
        {
          label: 'transfer time saved by one message, control at 0.4 of the time of a block',
          value: 100 * saved(0.4),
          unit: '%',
          expected: { low: 40, high: 50 },
          source: 'third-party account of the paper: 46 %, at a control cost that we do not know',
        },
        ...CONTROL_SHARES.filter((share) => share !== 0.4).map((share) => ({
          label: `the same, control at ${share} of it`,
          value: 100 * saved(share),
          unit: '%',
        })),
      ],
      series: [
        {
          title: 'throughput against the split',
          xLabel: `prefill replicas of ${ACCELERATORS}`,
          yLabel: 'requests/s',
          lines: [{ name: 'all requests at once', x: counts, y: rates }],
        },
        {
          title: 'prefills within their deadline',
          xLabel: 'requests/s',
          yLabel: 'share in time',
          lines: [
            { name: 'shortest queue, reports 100 ms old', x: GATEWAY_RATES, y: reports },
            { name: 'reject and retry', x: GATEWAY_RATES, y: retries },
          ],
        },
      ],
      notes: [
        `Llama 3.1 8B on ${ACCELERATORS} x A100 80 GB, roofline, ${REQUESTS} requests of ${LENGTHS[0]} tokens in and ${LENGTHS[1]} out at once, ${SEEDS} seeds, batches of 32 in decoding`,
        `gateway: ${GATEWAY.instances} prefill replicas, ${GATEWAY.meanServiceSeconds} s a prompt in the mean (log-normal, sigma 1), gaps with a coefficient of variation of ${GATEWAY.gapCv}, TTFT within ${GATEWAY.deadlineSeconds} s. old reports cost less here than was published until the replicas are nearly full`,
        'one message saves (n - 1) a / (n (a + 1)) of n blocks with a control cost of a block times: 29 % at 0.4 and 44 % at 0.8. the published saving needs about 0.85',
      ],
    };
  },
};
