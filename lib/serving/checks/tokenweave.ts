import { type Overlap, overlappedSeconds } from '../cost/overlap';
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

/** Measured by the authors on 8 H100: ms of 160 fused all-reduces, of the communication, and gains. */
const MEASURED = {
  fusedMs: [12.1, 21.9, 41.3, 80.4, 158],
  communicationMs: [11.7, 19.3, 34.6, 66.5, 133.9],
  overlapGain: [1.16, 1.23, 1.26, 1.27, 1.27],
} as const;
const SOURCE = "measured by the paper's authors, from their published tables; +- 5 %";

const SPLIT: Overlap = { type: 'token-split', thresholdTokens: 1024, networkShare: 8 / 132 };

/** Gain without any communication, as measured at the least and the largest size. */
const NO_NETWORK_GAIN = [
  [0, 1.28],
  [4, 1.22],
] as const;

/** The rule alone: overlap of the compute that was measured with the communication that was. */
function gainOfMeasuredCompute(at: number, noNetworkGain: number, normSeconds: number): number {
  const network = (MEASURED.communicationMs[at] as number) * 1e-3;
  const compute = network / (noNetworkGain - 1);
  const { layers } = MODEL;
  const layer = {
    serial: compute / layers,
    arithmetic: 0,
    memory: 0,
    computeLane: 0,
    memoryLane: 0,
    norms: normSeconds / layers,
    networkLatency: 0,
    networkBytes: network / layers,
  };
  const place = { tokens: SIZES[at] as number, tensorParallel: TENSOR_PARALLEL, layers };
  return (compute + network) / (layers * overlappedSeconds(layer, SPLIT, place));
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
    const figures: CheckFigure[] = SIZES.flatMap((tokens, i) => [
      {
        label: `160 all-reduces of ${tokens} tokens`,
        value: network[i] as number,
        unit: 'ms',
        expected: near(MEASURED.fusedMs[i] as number),
        source: SOURCE,
      },
      {
        label: `overlap gain at ${tokens} tokens`,
        value: gains[i] as number,
        unit: 'x',
        expected: near(MEASURED.overlapGain[i] as number),
        source: SOURCE,
      },
    ]);
    for (const [at, gain] of NO_NETWORK_GAIN) {
      const tokens = SIZES[at] as number;
      const { normSeconds } = serial.parts(batchOf({ promptTokens: tokens }));
      figures.push({
        label: `overlap gain at ${tokens} tokens, the rule on measured compute and communication`,
        value: gainOfMeasuredCompute(at, gain, normSeconds),
        unit: 'x',
        expected: near(MEASURED.overlapGain[at] as number),
        source: SOURCE,
      });
    }
    figures.push({
      label: 'sizes at which overlap beats no communication at all',
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
            { name: 'overlap, here', x, y: gains },
            { name: 'overlap, measured', x, y: [...MEASURED.overlapGain] },
            { name: 'no communication, here', x, y: noNetwork },
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
        'where gains lie outside, the compute between collectives is what differs: 0.7 of peak is above what those products reached at small sizes, so communication weighs more here',
        'left out: in-switch reduction, waves of half batches',
      ],
    };
  },
};
