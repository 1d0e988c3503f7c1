import type { Overlap } from '../cost/overlap';
import { HARDWARE } from '../presets/hardware';
import { weightBytes } from '../presets/kv-plan';
import { batchOf, CLAIM, checkRoofline, EARLIER, LLAMA_2_70B } from './cost-parts';
import type { CheckFigure, RowCheck } from './types';

const A100 = HARDWARE['a100-80g'];
const ACCELERATORS = 8;
const PROMPT = 1024;
const OUTPUT = 512;
const DENSE_TOKENS = 2048;
/** Matrix products of this shape reach 260 TFLOP/s on an A100: what the optimum is counted with. */
const GEMM_SHARE = 260e12 / A100.peakFlopsPerSecond;

/** A constant dense batch in steady state: of all tokens, so many decode as requests emit. */
function denseBatch() {
  const decodes = Math.round((DENSE_TOKENS * OUTPUT) / (PROMPT + OUTPUT));
  return batchOf({
    decodes,
    contextTokens: PROMPT + OUTPUT / 2,
    promptTokens: DENSE_TOKENS - decodes,
    // A chunk meets its prompt half done on average.
    doneTokens: PROMPT / 2 - (DENSE_TOKENS - decodes) / 2,
  });
}

/** Tokens per second and accelerator. */
function throughput(overlap: Overlap): number {
  const cost = checkRoofline(LLAMA_2_70B, A100, {
    tensorParallel: ACCELERATORS,
    computeEfficiency: GEMM_SHARE,
    overlap,
  });
  return DENSE_TOKENS / cost.iterationSeconds(denseBatch()) / ACCELERATORS;
}

const lanes = (interference: number): Overlap => ({
  type: 'lanes',
  nanoBatches: 2,
  interference,
  uncovered: 0,
});

export const nanoflow: RowCheck = {
  id: 'nanoflow',
  title: 'NanoFlow: compute, memory and network at once',
  asks: 'How near to the arithmetic limit does one iteration come when its operators overlap?',
  rule: `Every iteration runs one constant dense batch (2,048 tokens for 70B on 8 accelerators): all decodes, filled with prompt chunks.
The operators of a layer are split into nano-batches, so that a matrix product, the attention of decodes and a collective run at the same time, each on its share of the multiprocessors.
The longest of the three lanes is what an iteration takes, stretched by what the lanes take from each other. Each nano-batch reads the weights again.
The batch is formed one iteration ahead; KV of finished requests leaves during the products.`,
  evidence: 'code',
  *run() {
    const parameters = weightBytes(LLAMA_2_70B) / 2;
    const optimum = 260e12 / (2 * parameters);
    const cost = checkRoofline(LLAMA_2_70B, A100, {
      tensorParallel: ACCELERATORS,
      computeEfficiency: GEMM_SHARE,
    });
    const parts = cost.parts(denseBatch());
    const serial = throughput({ type: 'serial' });
    const ideal = throughput(lanes(0));
    yield { fraction: 0.5, phase: 'lanes' };

    const steps = Array.from({ length: 41 }, (_, i) => i / 40);
    const shares = steps.map((interference) => throughput(lanes(interference)) / optimum);
    const atClaim = steps[shares.findIndex((share) => share <= 0.685)];
    const figures: CheckFigure[] = [
      {
        label: 'optimum, 260 TFLOP/s over two FLOP a parameter',
        value: optimum,
        unit: 'tok/s per accelerator',
        expected: { low: 1820, high: 1895 },
        source: '1,857 by the same arithmetic with 70 billion parameters',
      },
      {
        label: 'compute lane of one iteration',
        value: parts.computeLaneSeconds * 1e3,
        unit: 'ms',
        expected: { low: 131, high: 145 },
        source: `138 ms in ${EARLIER}, +- 5 %`,
      },
      {
        label: 'network lane of one iteration',
        value: parts.networkSeconds * 1e3,
        unit: 'ms',
        expected: { low: 27.9, high: 34.1 },
        source: `31 ms in ${EARLIER}, +- 10 %`,
      },
      { label: 'memory lane of one iteration', value: parts.memoryLaneSeconds * 1e3, unit: 'ms' },
      {
        label: 'lanes without interference, over one operator after another',
        value: ideal / serial,
        unit: 'x',
        expected: { low: 1.4, high: 1.6 },
        source: `1.5 in ${EARLIER}; 1.91 against TensorRT-LLM is the ${CLAIM}, its baseline included`,
      },
      {
        label: 'share of the optimum at an interference of 0.2',
        value: (throughput(lanes(0.2)) / optimum) * 100,
        unit: '%',
        expected: { low: 59, high: 75 },
        source: `59 to 72 % is the ${CLAIM}`,
      },
      { label: 'share of the optimum, serial', value: (serial / optimum) * 100, unit: '%' },
      {
        label: 'interference at which 68.5 % of the optimum are left',
        value: atClaim ?? Number.NaN,
        unit: '',
      },
    ];
    return {
      figures,
      series: [
        {
          title: 'share of the optimum by interference',
          xLabel: 'interference',
          yLabel: 'share',
          lines: [
            { name: 'lanes', x: steps, y: shares },
            { name: 'serial', x: [0, 1], y: [serial / optimum, serial / optimum] },
          ],
        },
      ],
      notes: [
        `Llama 2 70B, 8-way tensor parallel on A100, ${PROMPT} tokens in and ${OUTPUT} out; matrix products at 260 of 312 TFLOP/s, memory at 0.8 of the bandwidth, the link at its data sheet`,
        'interference is an assumption: nobody published its curve, so the sweep shows what it would have to be',
        'expected outside: lanes that share nothing but time come near to the optimum, and the published share is lower by what kernels lose on fewer multiprocessors, to tiles and to the host',
        'left out: tiles of nano-batches, the search of shares, the offload of KV',
      ],
    };
  },
};
