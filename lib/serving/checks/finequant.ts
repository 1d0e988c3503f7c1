import type { TransformId } from '../../spec/presets';
import { HARDWARE } from '../presets/hardware';
import { MODELS } from '../presets/models';
import { presetTransform, TRANSFORMS } from '../transforms/presets';
import type { HardwareSpec } from '../types';
import {
  type Architecture,
  batchOf,
  CLAIM,
  checkRoofline,
  LLAMA_13B,
  SHARES_NOTE,
} from './cost-parts';
import type { CheckFigure, RowCheck } from './types';

const BATCHES = Array.from({ length: 10 }, (_, i) => 2 ** i);
const CONTEXT = 256;
const IDS = ['finequant-int8', 'finequant-int4', 'squeezellm'] as const;

interface Place {
  readonly model: Architecture;
  readonly hardware: HardwareSpec;
  readonly tensorParallel: number;
}
const OPT_66B: Place = {
  model: MODELS['opt-66b'],
  hardware: HARDWARE['a100-80g'],
  tensorParallel: 2,
};
const ON_A6000: Place = { model: LLAMA_13B, hardware: HARDWARE['rtx-a6000'], tensorParallel: 1 };

/** Decode step of the model as it is, over that of the changed one. */
function decodeGain(
  id: TransformId,
  batch: number,
  { model, hardware, tensorParallel } = OPT_66B,
): number {
  const options = { tensorParallel };
  const transform = presetTransform(id);
  const features = batchOf({ decodes: batch, contextTokens: CONTEXT });
  return (
    checkRoofline(model, hardware, options).iterationSeconds(features) /
    checkRoofline(model, hardware, { ...options, transform }).iterationSeconds(features)
  );
}

export const finequant: RowCheck = {
  id: 'finequant',
  title: 'FineQuant: weights in 4 bits, batch by batch',
  asks: 'Up to which batch do smaller weights make decoding faster?',
  rule: `Weights are kept in 4 or 8 bits with scales of small groups, and widened in registers: a decode reads a quarter or half of the bytes, and its arithmetic stays 16 bits.
While a batch is small, reading weights is all there is, so the gain is that of the bytes. From the batch on at which arithmetic takes longer than 16-bit weights take to read, nothing is left of it.`,
  evidence: 'abstract',
  *run() {
    const lines = IDS.map((id) => ({
      name: TRANSFORMS[id].title,
      x: BATCHES,
      y: BATCHES.map((batch) => decodeGain(id, batch)),
    }));
    yield { fraction: 0.5, phase: 'batches' };
    const figures: CheckFigure[] = [
      ...[1, 8].map((batch) => ({
        label: `4 bits, decode at a batch of ${batch}`,
        value: decodeGain('finequant-int4', batch),
        unit: 'x',
        expected: { low: 2.5, high: 3.65 },
        source: `up to 3.65 is the ${CLAIM}`,
      })),
      {
        label: '4 bits, decode at a batch of 512',
        value: decodeGain('finequant-int4', 512),
        unit: 'x',
        expected: { low: 0.95, high: 1.1 },
        source: 'the rule itself: towards 1',
      },
      {
        label: 'SqueezeLLM, batch of 1, RTX A6000',
        value: decodeGain('squeezellm', 1, ON_A6000),
        unit: 'x',
        expected: { low: 2, high: 2.3 },
        source: `2.3 is the ${CLAIM}`,
      },
    ];
    return {
      figures,
      series: [
        {
          title: 'decode step over 16-bit weights',
          xLabel: 'decodes in a batch',
          yLabel: 'times faster',
          lines,
        },
      ],
      notes: [
        SHARES_NOTE,
        `OPT 66B, 2-way tensor parallel on A100, contexts of ${CONTEXT}; SqueezeLLM: LLaMA 13B on an RTX A6000`,
        'widening is taken as free: figures above a band are what its kernels lose to it, and to tables and sparse outliers with SqueezeLLM',
      ],
    };
  },
};
