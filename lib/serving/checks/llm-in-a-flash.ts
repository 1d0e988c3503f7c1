import { HARDWARE } from '../presets/hardware';
import { layerWeightBytes } from '../presets/kv-plan';
import { MODELS } from '../presets/models';
import { presetTransform } from '../transforms/presets';
import { batchOf, CLAIM, checkRoofline, SHARES_NOTE } from './cost-parts';
import type { RowCheck } from './types';

const MODEL = MODELS['llama-2-7b'];
const PRESET = presetTransform('llm-in-a-flash');
const CONTEXT = 500;
/** Share of the feed-forward weights that are read for a token, in a window of the last ones. */
const READ_SHARES = [0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 1] as const;
const WINDOWED = 0.025;

const layerBytes = layerWeightBytes(MODEL);
const feedForwardBytes =
  MODEL.layers * MODEL.ffnMatrices * MODEL.hiddenSize * MODEL.ffnSize * MODEL.bytesPerWeight;

/** Bytes from flash for one token, where such a share of the feed-forward weights is read. */
const windowBytes = (share: number): number => share * feedForwardBytes;

function tokenSeconds(bytes: number, streamGigabytesPerSecond: number): number {
  const streamedReads = bytes / (PRESET.streamedWeights * layerBytes);
  const transform = { ...PRESET, streamedReads, streamGigabytesPerSecond };
  const cost = checkRoofline(MODEL, HARDWARE['rtx-4090'], { transform });
  return cost.iterationSeconds(batchOf({ decodes: 1, contextTokens: CONTEXT }));
}

export const llmInAFlash: RowCheck = {
  id: 'llm-in-a-flash',
  title: 'LLM in a flash: weights that memory does not hold',
  asks: 'How much faster is a token when only the neurons are read that the last ones did not use?',
  rule: `half of the model lies in flash. loaded naively, all of that is read for every token.
With a window the neurons of the last tokens stay, and only those are read that a predictor asks for and that are not there: some per cent of the feed-forward weights.
a token takes what the device takes with everything in memory, and the reads, which come before it.`,
  evidence: 'abstract',
  *run() {
    const speed = PRESET.streamGigabytesPerSecond;
    const naiveBytes = PRESET.streamedWeights * layerBytes;
    const gain = (share: number, gigabytes = speed) =>
      tokenSeconds(naiveBytes, gigabytes) / tokenSeconds(windowBytes(share), gigabytes);
    yield { fraction: 0.5, phase: 'reads' };
    return {
      figures: [
        {
          label: 'read for a token, loaded naively',
          value: naiveBytes / 1e9,
          unit: 'GB',
          expected: { low: 6, high: 7.4 },
          source: 'arithmetic: half of a model of 6.7 billion parameters in 16 bits',
        },
        {
          label: 'gain of a window, an accelerator computing',
          value: gain(WINDOWED),
          unit: 'x',
          expected: { low: 20, high: 25 },
          source: CLAIM,
        },
        { label: 'read for a token in a window', value: windowBytes(WINDOWED) / 1e9, unit: 'GB' },
        ...[1, 3, 12].map((gigabytes) => ({
          label: `gain of a window, flash of ${gigabytes} GB/s`,
          value: gain(WINDOWED, gigabytes),
          unit: 'x',
        })),
      ],
      series: [
        {
          title: 'gain by the share of the feed-forward weights that a token reads',
          xLabel: 'share',
          yLabel: 'times naive loading',
          lines: [
            {
              name: `flash of ${speed} GB/s`,
              x: [...READ_SHARES],
              y: READ_SHARES.map((share) => gain(share)),
            },
          ],
        },
      ],
      notes: [
        SHARES_NOTE,
        `${MODEL.label} on an RTX 4090 for one request with a context of ${CONTEXT}; the published models have ReLU and other devices. ${100 * WINDOWED} % of the feed-forward weights a token are from memory (2 to 3 %), flash of ${speed} GB/s is assumed`,
        'left out: the predictor, moving rows within memory, reads that are slower the smaller they are (rows and columns bundled), and the gain of 4 to 5 with a processor computing, whose own time is not known here',
      ],
    };
  },
};
