import { HARDWARE } from '../presets/hardware';
import { MODELS } from '../presets/models';
import { presetTransform } from '../transforms/presets';
import { batchOf, checkRoofline, SHARES_NOTE } from './cost-parts';
import type { RowCheck } from './types';

const MODEL = MODELS['qwen3-32b'];
const PRESET = presetTransform('energonai');
const TOKENS = [16, 64, 128, 256, 512, 1024, 2048, 4096, 8192] as const;
const BATCH_TOKENS = 2048;
const LINKS = { peer: 300, 'host, fast': 25, 'host, slow': 16 } as const;
const ESTIMATE = 'an estimate of ours, for layers that compute longer than they are read';

const cost = (streamGigabytesPerSecond: number, streamedWeights: number) =>
  checkRoofline(MODEL, HARDWARE['a100-80g'], {
    transform: { ...PRESET, streamGigabytesPerSecond, streamedWeights },
  });

/** How much longer an iteration takes than with all weights in its own memory, in per cent. */
function slowDown(gigabytes: number, promptTokens: number): number {
  const batch = batchOf({ promptTokens });
  const streamed = cost(gigabytes, PRESET.streamedWeights).iterationSeconds(batch);
  return 100 * (streamed / cost(gigabytes, 0).iterationSeconds(batch) - 1);
}

export const energonai: RowCheck = {
  id: 'energonai',
  title: 'EnergonAI: weights on a neighbour',
  asks: 'What does it cost to keep half of the layers in the memory of another accelerator?',
  rule: 'layers that do not fit lie in the memory of a neighbour, and each is read while the one before it computes. where a layer computes longer than its weights take to come, nothing is lost.',
  evidence: 'unverified',
  *run() {
    const names = Object.keys(LINKS) as (keyof typeof LINKS)[];
    yield { fraction: 0.5, phase: 'links' };
    const bands = { peer: { high: 10 }, 'host, fast': { low: 50 }, 'host, slow': { low: 50 } };
    return {
      figures: [
        ...names.map((name) => ({
          label: `slower by, ${BATCH_TOKENS} tokens, ${name} (${LINKS[name]} GB/s)`,
          value: slowDown(LINKS[name], BATCH_TOKENS),
          unit: '%',
          expected: bands[name],
          source: ESTIMATE,
        })),
        ...names
          .map((name) => ({
            label: `tokens from which reads cost less than a tenth, ${name}`,
            value: TOKENS.find((tokens) => slowDown(LINKS[name], tokens) < 10) ?? Infinity,
            unit: 'tokens',
          }))
          .filter(({ value }) => Number.isFinite(value)),
      ],
      series: [
        {
          title: 'slower than with all weights at hand',
          xLabel: 'tokens of an iteration',
          yLabel: '%',
          lines: names.map((name) => ({
            name: `${name}, ${LINKS[name]} GB/s`,
            x: [...TOKENS],
            y: TOKENS.map((tokens) => slowDown(LINKS[name], tokens)),
          })),
        },
      ],
      notes: [
        SHARES_NOTE,
        `${MODEL.label} on an A100, half of its layers elsewhere, one prompt of that many tokens. an iteration of decodes is far below: there every link is slower than memory`,
        'left out: pipelines without blocking, which every pipeline of the engine here has, and padding that is stripped before linear layers, which no batch here has; what the neighbour itself does with its link',
      ],
    };
  },
};
