import type { Overlap } from '../cost/overlap';
import { HARDWARE } from '../presets/hardware';
import { linkOf } from '../presets/links';
import { MODELS } from '../presets/models';
import { batchOf, checkRoofline, SHARES_NOTE } from './cost-parts';
import type { CheckFigure, RowCheck } from './types';

const H100 = HARDWARE.h100;
const TENSOR_PARALLEL = 8;
/** Llama 3.3 70B has the shape of 3.1. */
const MODEL = MODELS['llama-3.1-70b'];
const SIZES = [1024, 2048, 4096, 8192, 16_384] as const;

/**
 * Measured by the authors on 8 H100, in their artifact's tables: ms of 160 fused all-reduces, of 160
 * norms, of an iteration without communication, of all communication, and gains.
 */
const MEASURED = {
  fusedMs: [12.1, 21.9, 41.3, 80.4, 158],
  normMs: [4.79, 8.29, 15.4, 29.5, 57.8],
  bareMs: [41.9, 74.9, 144.9, 289.5, 610.2],
  communicationMs: [11.7, 19.3, 34.6, 66.5, 133.9],
  overlapGain: [1.16, 1.23, 1.26, 1.27, 1.27],
} as const;
/** Parameters of all matrix products of a pass over a prompt. */
const MODEL_WEIGHTS = 70e9;
const SOURCE = "measured by the paper's authors, from their published tables; +- 5 %";

const SPLIT: Extract<Overlap, { type: 'token-split' }> = {
  type: 'token-split',
  thresholdTokens: 1024,
  networkShare: 8 / 132,
};

/** Arithmetic of attention in a pass over so many tokens, causal; of one rank. */
const attentionFlops = (tokens: number): number =>
  (2 * tokens ** 2 * MODEL.queryHeads * MODEL.headSize * MODEL.layers) / TENSOR_PARALLEL;

/**
 * The rule on the measured tables alone: what half of the tokens computes without communication, less
 * its norms, twice, on what the collective leaves of the multiprocessors, where the collective is not
 * longer; the last half's stays bare once. Two halves apart leave out the attention of the second to
 * the first, which is added at the rate at which the whole computes.
 *
 * @param at place of a size in `SIZES`, from the second on: the half must be measured as well
 * @returns milliseconds of an iteration
 */
export function splitOfMeasured(at: number): number {
  const half = at - 1;
  const of = (values: readonly number[], i: number) => values[i] as number;
  const tokens = of(SIZES, at);
  const collective = of(MEASURED.fusedMs, half);
  const compute = of(MEASURED.bareMs, half) - of(MEASURED.normMs, half);
  const missing = attentionFlops(tokens) - 2 * attentionFlops(of(SIZES, half));
  const weights = (2 * MODEL_WEIGHTS * tokens) / TENSOR_PARALLEL;
  const rate = (weights + attentionFlops(tokens)) / of(MEASURED.bareMs, at);
  const beside = (2 * compute + missing / rate) / (1 - SPLIT.networkShare);
  return Math.max(beside, 2 * collective) + collective / (2 * MODEL.layers);
}

export const tokenweave: RowCheck = {
  id: 'tokenweave',
  title: 'TokenWeave: one half computes while the other communicates',
  asks: 'How much of the tensor-parallel all-reduces can half a batch hide?',
  rule: `From 1,024 tokens on an iteration is split in two halves (at a multiple of 256). While one half's collective runs on 8 of 132 multiprocessors, the other half computes attention and products on the rest.
The collective is one kernel: reduce-scatter, norm on 1 / tp of the tokens, all-gather. So the norm, too, is divided and hidden.
Smaller iterations run whole, with the fused kernel alone.
The split reads the weights twice and pays two start-ups: worth it only where compute bounds the iteration.`,
  evidence: 'code',
  *run() {
    const options = {
      tensorParallel: TENSOR_PARALLEL,
      collectiveLatencyMicroseconds: linkOf(H100).latencySeconds * 1e6,
    };
    const serial = checkRoofline(MODEL, H100, options);
    const split = checkRoofline(MODEL, H100, { ...options, overlap: SPLIT });
    const bare = checkRoofline(
      MODEL,
      { ...H100, interconnectBytesPerSecond: Infinity },
      { ...options, collectiveLatencyMicroseconds: 0 },
    );
    const network: number[] = [];
    const gains: number[] = [];
    const noNetwork: number[] = [];
    for (const promptTokens of SIZES) {
      const batch = batchOf({ promptTokens });
      network.push(serial.parts(batch).networkSeconds * 1e3);
      const before = serial.iterationSeconds(batch);
      gains.push(before / split.iterationSeconds(batch));
      noNetwork.push(before / bare.iterationSeconds(batch));
    }
    yield { fraction: 0.9, phase: 'sizes' };
    const near = (value: number, share = 0.05) => ({
      low: value * (1 - share),
      high: value * (1 + share),
    });
    // Of the first size no half was measured.
    const onTables = SIZES.map((_, i) => {
      if (i === 0) return Number.NaN;
      const whole = (MEASURED.bareMs[i] as number) + (MEASURED.communicationMs[i] as number);
      return whole / splitOfMeasured(i);
    });
    const figures: CheckFigure[] = SIZES.flatMap((tokens, i) => [
      {
        label: `160 all-reduces of ${tokens} tokens`,
        value: network[i] as number,
        unit: 'ms',
        expected: near(MEASURED.fusedMs[i] as number),
        source: SOURCE,
      },
      ...(i === 0
        ? []
        : [
            {
              label: `overlap gain at ${tokens} tokens, the rule on measured tables`,
              value: onTables[i] as number,
              unit: 'x',
              expected: near(MEASURED.overlapGain[i] as number),
              source: SOURCE,
            },
          ]),
      {
        label: `overlap gain at ${tokens} tokens, by roofline at 0.7 of peak`,
        value: gains[i] as number,
        unit: 'x',
      },
    ]);
    figures.push({
      label: 'sizes at which the rule on measured tables beats no communication at all',
      value: SIZES.filter((_, i) => i > 0 && splitOfMeasured(i) < (MEASURED.bareMs[i] as number))
        .length,
      unit: 'of 4',
      expected: { low: 3, high: 3 },
      source: "measured by the paper's authors: from 4,096 tokens on",
    });
    figures.push({
      label: 'sizes at which overlap beats no communication at all, by roofline',
      value: SIZES.filter((_, i) => (gains[i] as number) > (noNetwork[i] as number)).length,
      unit: 'of 5',
    });
    const x = [...SIZES];
    return {
      figures,
      series: [
        {
          title: 'gain by tokens of an iteration',
          xLabel: 'tokens',
          yLabel: 'gain over one after another',
          lines: [
            { name: 'overlap, by roofline', x, y: gains },
            { name: 'overlap, the rule on tables', x: x.slice(1), y: onTables.slice(1) },
            { name: 'overlap, measured', x, y: [...MEASURED.overlapGain] },
            { name: 'no communication, by roofline', x, y: noNetwork },
            {
              name: 'no communication, measured',
              x,
              y: x.map(
                (_, i) =>
                  1 + (MEASURED.communicationMs[i] as number) / (MEASURED.bareMs[i] as number),
              ),
            },
          ],
        },
        {
          title: 'communication',
          xLabel: 'tokens',
          yLabel: 'ms',
          lines: [
            { name: 'all-reduces, here', x, y: network },
            { name: 'fused all-reduces, measured', x, y: [...MEASURED.fusedMs] },
            {
              name: 'baseline less no communication, measured',
              x,
              y: [...MEASURED.communicationMs],
            },
          ],
        },
      ],
      notes: [
        SHARES_NOTE,
        `Llama 3.3 70B (the shape of 3.1), 8-way tensor parallel on H100; one prompt of that many tokens; all-reduce as ${linkOf(H100).latencySeconds * 1e6} us and a ring at the data sheet's 450 GB/s, not fitted`,
        'gains are judged on the tables: compute without communication, norms and fused collectives as measured, which is what the rule is about; halves run as slowly as measured at their size (their waves), and the attention of the second to the first half comes at the mean rate. nothing is fitted. of 1,024 tokens no half was measured',
        'by roofline gains are larger: 0.7 of peak is above the half to six tenths that the whole reached, so communication weighs more',
        'left out by roofline: in-switch reduction, which is where its large all-reduces are slower, and waves of half batches',
      ],
    };
  },
};
