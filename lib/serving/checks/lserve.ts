import { HARDWARE } from '../presets/hardware';
import { MODELS } from '../presets/models';
import { presetTransform } from '../transforms/presets';
import { batchOf, CLAIM, checkRoofline, chunkedSeconds, SHARES_NOTE } from './cost-parts';
import type { CheckFigure, RowCheck } from './types';

const MODEL = MODELS['llama-3.1-8b'];
const A100 = HARDWARE['a100-80g'];
const CONTEXTS = [16_384, 32_768, 65_536, 131_072, 262_144, 524_288] as const;
const CHUNK = 8192;

export const lserve: RowCheck = {
  id: 'lserve',
  title: 'LServe: streaming heads and a budget of pages',
  asks: 'How do prefill and decode scale when half of the heads stream and the rest read 4,096 tokens?',
  rule: `Half of the heads keep only sinks and a window: they cost almost nothing in long contexts.
The other half are dense over prompts. In decoding they read a constant budget of 4,096 tokens, chosen as pages by the least and largest key of every 16 tokens, anew every fourth step.
Weights and KV may be in 4 bits besides; that is not counted here.`,
  evidence: 'abstract',
  *run() {
    const dense = checkRoofline(MODEL, A100);
    const sparse = checkRoofline(MODEL, A100, { transform: presetTransform('lserve') });
    const prefill: number[] = [];
    const decode: number[] = [];
    const times: number[] = [];
    const denseTimes: number[] = [];
    for (const [i, contextTokens] of CONTEXTS.entries()) {
      prefill.push(
        chunkedSeconds(dense, contextTokens, CHUNK) / chunkedSeconds(sparse, contextTokens, CHUNK),
      );
      const batch = batchOf({ decodes: 1, contextTokens });
      denseTimes.push(dense.iterationSeconds(batch) * 1e3);
      times.push(sparse.iterationSeconds(batch) * 1e3);
      decode.push(dense.iterationSeconds(batch) / sparse.iterationSeconds(batch));
      yield { fraction: i / CONTEXTS.length, phase: `${contextTokens} tokens` };
    }
    const at = (tokens: (typeof CONTEXTS)[number]) => CONTEXTS.indexOf(tokens);
    const figures: CheckFigure[] = [
      {
        label: 'prefill at 524,288 tokens',
        value: prefill[at(524_288)] as number,
        unit: 'x',
        expected: { low: 1, high: 2.9 },
        source: `up to 2.9 is the ${CLAIM}, quantised products included`,
      },
      ...([65_536, 131_072, 262_144] as const).map((tokens) => ({
        label: `decode at ${tokens.toLocaleString('en')} tokens`,
        value: decode[at(tokens)] as number,
        unit: 'x',
        expected: { low: 1.3, high: 2.1 },
        source: `1.3 to 2.1 is the ${CLAIM}, as a mean over its lengths`,
      })),
      {
        label: 'decode step at 524,288 tokens over that at 65,536',
        value: (times[at(524_288)] as number) / (times[at(65_536)] as number),
        unit: 'x',
        expected: { low: 1, high: 1.1 },
        source: 'the rule itself: flat beyond the budget but for the choice of pages',
      },
    ];
    const x = [...CONTEXTS];
    return {
      figures,
      series: [
        {
          title: 'decode step, batch of 1',
          xLabel: 'context tokens',
          yLabel: 'ms',
          lines: [
            { name: 'dense', x, y: denseTimes },
            { name: 'LServe', x, y: times },
          ],
        },
        {
          title: 'gain over dense attention',
          xLabel: 'context tokens',
          yLabel: 'times',
          lines: [
            { name: 'prefill', x, y: prefill },
            { name: 'decode', x, y: decode },
          ],
        },
      ],
      notes: [
        SHARES_NOTE,
        `Llama 3.1 8B on an A100, one request, prompts in chunks of ${CHUNK}`,
        'left out: the few tokens of streaming heads, 4-bit weights and KV, accuracy',
      ],
    };
  },
};
