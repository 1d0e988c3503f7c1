import type { z } from 'zod';
import { serveParams } from '../../spec/kinds/serve';
import { CLAIM, EARLIER, SHARES_NOTE } from './cost-parts';
import { offlineWorkload, servingRun } from './run-parts';
import type { CheckFigure, RowCheck } from './types';

const OUTPUT = 256;
/** Prompt tokens, and what the arithmetic of tokens gives: (n + o) / (n / 2 + o). */
const PROMPTS = [
  [2048, 1.8],
  [8192, 1.94],
  [32_768, 1.98],
] as const;

function throughputRun(
  prompt: number,
  transform: z.input<typeof serveParams>['transform'],
  fraction: number,
) {
  const params = serveParams.parse({
    model: 'llama-3.1-70b',
    hardware: 'h100',
    tensorParallel: 4,
    strategy: { type: 'sarathi', tokenBudget: 2048, maxSequences: 512 },
    transform,
  });
  const requests = Math.max(48, Math.min(256, Math.round(2 ** 20 / prompt)));
  return servingRun(params, offlineWorkload(requests, prompt, OUTPUT), {
    fraction,
    phase: `${prompt} tokens in`,
  });
}

export const swiftkv: RowCheck = {
  id: 'swiftkv',
  title: 'SwiftKV: prompts skip half of the layers',
  asks: 'What does halving the arithmetic of prompts, and sharing KV across layers, do to throughput?',
  rule: `Prompt tokens run through the first half of the layers. Keys and values of the later half are projected from there, so a prompt costs half of the matrix products and of its attention: F = 0.5.
Generated tokens run through all layers.
AcrossKV lets groups of layers share their KV, and 8 bits halve it again: M = 0.375. More requests then fit in memory.
With chunked prefill the skip holds for every chunk.`,
  evidence: 'abstract',
  *run() {
    const figures: CheckFigure[] = [];
    const x: number[] = [];
    const skip: number[] = [];
    const shared: number[] = [];
    for (const [i, [prompt, expected]] of PROMPTS.entries()) {
      const dense = yield* throughputRun(prompt, { type: 'none' }, i / 3);
      const swift = { type: 'preset', preset: 'swiftkv' } as const;
      const half = yield* throughputRun(prompt, swift, (i + 0.4) / 3);
      const acrossKv = { type: 'preset', preset: 'swiftkv-acrosskv' } as const;
      const both = yield* throughputRun(prompt, acrossKv, (i + 0.7) / 3);
      const gain = (result: typeof dense) =>
        result.metrics.outputTokensPerSecond / dense.metrics.outputTokensPerSecond;
      x.push(prompt);
      skip.push(gain(half));
      shared.push(gain(both));
      figures.push(
        {
          label: `throughput, ${prompt} in and ${OUTPUT} out`,
          value: gain(half),
          unit: 'x',
          expected: { low: expected * 0.93, high: expected * 1.07 },
          source: `${expected} in ${EARLIER}, where tokens alone count; +- 7 %`,
        },
        { label: `the same with shared 8-bit KV`, value: gain(both), unit: 'x' },
      );
      if (i === 0) {
        figures.push({
          label: 'KV blocks with shared 8-bit KV',
          value: both.kvPlan.blocks / dense.kvPlan.blocks,
          unit: 'x',
          expected: { low: 2.65, high: 2.68 },
          source: `62.5 % less KV is the ${CLAIM}: 1 / 0.375`,
        });
      }
    }
    figures.push({
      label: 'largest gain of throughput',
      value: Math.max(...shared, ...skip),
      unit: 'x',
      expected: { low: 1.8, high: 2.2 },
      source: `2 is the ${CLAIM}`,
    });
    return {
      figures,
      series: [
        {
          title: 'throughput by prompt length',
          xLabel: 'prompt tokens',
          yLabel: 'times the dense model',
          lines: [
            { name: 'half of the layers', x, y: skip },
            { name: 'and shared 8-bit KV', x, y: shared },
          ],
        },
      ],
      notes: [
        SHARES_NOTE,
        `Llama 3.1 70B, 4-way tensor parallel on H100, Sarathi-Serve with 2,048 tokens an iteration, 48 to 256 requests that all arrive at once, ${OUTPUT} tokens out`,
        'the bands count tokens alone; here generated tokens also read weights and KV, which half of the layers in prompts does not shorten',
        'left out: accuracy; the small products that project KV for the skipped layers',
      ],
    };
  },
};
