import { serveParams } from '../../spec/kinds/serve';
import type { TransformId } from '../../spec/presets';
import { HARDWARE } from '../presets/hardware';
import { planKv } from '../presets/kv-plan';
import { MODELS } from '../presets/models';
import { type ModelTransform, presetTransform, TRANSFORMS } from '../transforms/presets';
import { batchOf, CLAIM, checkRoofline, SHARES_NOTE } from './cost-parts';
import type { CheckFigure, RowCheck } from './types';

const MODEL = MODELS['llama-2-7b'];
const A100 = HARDWARE['a100-80g'];
const PROMPT = 1024;
const OUTPUT = 512;
const MEAN_CONTEXT = PROMPT + OUTPUT / 2;
const IDS = ['comet', 'duo-attention-mha', 'swiftkv-acrosskv', 'longgen'] as const;

interface Capacity {
  readonly batch: number;
  /** Output tokens a second: a full batch decodes, and every request pays its prompt. */
  readonly tokensPerSecond: number;
}

function capacity(transform: ModelTransform | undefined): Capacity {
  const vector =
    transform === undefined ? undefined : (({ label: _, ...numbers }) => numbers)(transform);
  const params = serveParams.parse({
    model: 'llama-2-7b',
    ...(vector === undefined
      ? {}
      : { transform: { type: 'vector', ...vector, planTokens: PROMPT + OUTPUT } }),
  });
  const { blocks, blockTokens } = planKv(MODEL, A100, params);
  const batch = Math.floor((blocks * blockTokens) / (PROMPT + OUTPUT));
  const cost = checkRoofline(MODEL, A100, { transform });
  const step = cost.iterationSeconds(batchOf({ decodes: batch, contextTokens: MEAN_CONTEXT }));
  const prompt = cost.iterationSeconds(batchOf({ promptTokens: PROMPT }));
  return {
    batch,
    tokensPerSecond: (batch * OUTPUT) / (OUTPUT * step + batch * prompt),
  };
}

export const comet: RowCheck = {
  id: 'comet',
  title: 'COMET: 4 bits everywhere, and KV bytes as batch size',
  asks: 'How do bytes of KV turn into requests in a batch, and those into throughput?',
  rule: `Weights, most activations and the KV cache are in 4 bits; products mix 4 by 4 and 4 by 8 bits on tiles balanced over the multiprocessors.
A quarter of the KV bytes lets four times the requests run together; decodes then read the weights once for all of them.
Where the prompt's products are as fast as the kernels are claimed to be, throughput grows with both.`,
  evidence: 'abstract',
  *run() {
    const plain = capacity(undefined);
    const all = IDS.map((id: TransformId) => ({ id, ...capacity(presetTransform(id)) }));
    yield { fraction: 0.5, phase: 'plans' };
    const kvOnly = capacity({ ...presetTransform('comet'), weightBytes: 1, gemmTime: 1 });
    const whole = all[0] as (typeof all)[number];
    const shares = Array.from({ length: 20 }, (_, i) => (i + 1) / 20);
    const curve = shares.map((kvBytes) =>
      capacity({
        ...presetTransform('comet'),
        weightBytes: 1,
        gemmTime: 1,
        kvBytes,
        decodeKvBytes: kvBytes,
      }),
    );
    const figures: CheckFigure[] = [
      {
        label: 'largest batch from 4-bit KV alone',
        value: kvOnly.batch / plain.batch,
        unit: 'x',
        expected: { low: 3, high: 4.05 },
        source: 'an estimate of ours: at most 1 / 0.25',
      },
      {
        label: 'largest batch with 4-bit weights too',
        value: whole.batch / plain.batch,
        unit: 'x',
      },
      {
        label: 'throughput of COMET',
        value: whole.tokensPerSecond / plain.tokensPerSecond,
        unit: 'x',
        expected: { low: 1.8, high: 2.2 },
        source: `2.02 against TensorRT-LLM is the ${CLAIM}`,
      },
      {
        label: 'throughput from 4-bit KV alone',
        value: kvOnly.tokensPerSecond / plain.tokensPerSecond,
        unit: 'x',
      },
      ...all.slice(1).map(({ id, tokensPerSecond }) => ({
        label: `throughput, ${TRANSFORMS[id].title}`,
        value: tokensPerSecond / plain.tokensPerSecond,
        unit: 'x',
      })),
    ];
    return {
      figures,
      series: [
        {
          title: 'throughput by KV bytes',
          xLabel: 'KV bytes over 16 bits',
          yLabel: 'times 16 bits',
          lines: [
            {
              name: 'throughput',
              x: shares,
              y: curve.map(({ tokensPerSecond }) => tokensPerSecond / plain.tokensPerSecond),
            },
            { name: 'batch', x: shares, y: curve.map(({ batch }) => batch / plain.batch) },
          ],
        },
      ],
      notes: [
        SHARES_NOTE,
        `Llama 2 7B on an A100 80 GB, ${PROMPT} tokens in and ${OUTPUT} out, the batch that memory holds at full length`,
        'above the band: the claim is of a whole engine, with products that meet their claimed speed on every shape only here',
        "the baseline is this simulator's 16-bit model: part of a gain against another engine is that engine; methods beside COMET are the same question asked of their own vectors",
      ],
    };
  },
};
