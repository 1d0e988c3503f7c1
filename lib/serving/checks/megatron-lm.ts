import { serveParams } from '../../spec/kinds/serve';
import { makeCostModel } from '../cost/make-cost-model';
import { createPipeline } from '../engine/pipeline';
import { poissonLoad, simulateSliced } from './capacity';
import type { CheckProgress, RowCheck } from './types';

const STAGES = [2, 4, 8] as const;
const MICRO_BATCHES = [1, 2, 4, 8, 16, 32, 64] as const;
const REQUESTS = 400;

/** Time lost to filling and draining, over the time without. */
function bubble(stages: number, microBatches: number): number {
  const transferSeconds = () => 0;
  const pipeline = createPipeline({ stages, share: 1 / stages, transferSeconds, label: '' });
  let end = 0;
  for (let i = 0; i < microBatches; i++) end = pipeline.enter(0, 1, 1);
  const ideal = microBatches / stages;
  return (end - ideal) / ideal;
}

export const megatronLm: RowCheck = {
  id: 'megatron-lm',
  title: 'Megatron-LM: stages against tensor parallel',
  asks: 'Is the bubble of a pipeline (p - 1) / m, and what do stages give serving that tensor parallel does not?',
  rule: 'tensor parallel splits every matrix and adds two all-reduces a layer: it makes one iteration faster and stays within a machine. stages split the layers: they make nothing faster, need many micro-batches, and lose (p - 1) / m of the time to filling and draining p stages with m micro-batches. leaves out: interleaved schedules and the training step.',
  evidence: 'abstract',
  *run(seed) {
    const lines = STAGES.map((stages) => ({
      name: `${stages} stages`,
      x: [...MICRO_BATCHES],
      y: MICRO_BATCHES.map((count) => bubble(stages, count)),
    }));
    const off = Math.max(
      ...STAGES.flatMap((p) => MICRO_BATCHES.map((m) => Math.abs(bubble(p, m) - (p - 1) / m))),
    );
    function* run(cell: object, requests: number, progress: CheckProgress) {
      const params = serveParams.parse({ strategy: { type: 'composed' }, ...cell });
      const load = poissonLoad(seed, requests, 1e4, () => [512, 128]);
      return (yield* simulateSliced(params, load, makeCostModel(params), progress)).metrics;
    }
    const cells = { one: {}, tensor: { tensorParallel: 4 }, stages: { pipelineParallel: 4 } };
    const busy: Record<string, number> = {};
    const alone: Record<string, number> = {};
    let step = 0;
    for (const [name, cell] of Object.entries(cells)) {
      const progress = { fraction: step++ / 3, phase: name };
      busy[name] = (yield* run(cell, REQUESTS, progress)).outputTokensPerSecond;
      alone[name] = (yield* run(cell, 1, progress)).tpotSeconds.mean;
      yield progress;
    }
    const of = (table: Record<string, number>, name: string) => table[name] as number;
    return {
      figures: [
        {
          label: 'largest difference between simulated bubble and (p - 1) / m',
          value: off,
          unit: '',
          expected: { high: 1e-9 },
          source: 'the formula itself',
        },
        {
          label: 'speed of one request, 4 stages against one accelerator',
          value: of(alone, 'one') / of(alone, 'stages'),
          unit: 'x',
          expected: { high: 1 },
          source: 'the rule: stages make nothing faster',
        },
        {
          label: 'speed of one request, tensor parallel 4 against one accelerator',
          value: of(alone, 'one') / of(alone, 'tensor'),
          unit: 'x',
        },
        {
          label: 'throughput, 4 stages against one accelerator',
          value: of(busy, 'stages') / of(busy, 'one'),
          unit: 'x',
        },
        {
          label: 'throughput, tensor parallel 4 against one accelerator',
          value: of(busy, 'tensor') / of(busy, 'one'),
          unit: 'x',
        },
      ],
      series: [
        {
          title: 'bubble of a pipeline',
          xLabel: 'micro-batches',
          yLabel: 'time lost over time without loss',
          lines,
        },
      ],
      notes: [
        `Llama 3.1 8B on A100 80 GB, roofline, ${REQUESTS} requests of 512 tokens in and 128 out at once, and one alone`,
        'the claims about training (52 % of peak on 3,072 accelerators) are not part of this',
      ],
    };
  },
};
