import type { TransformId } from '../spec/presets';
import { comparedCells } from './serving-cells';
import type { Method } from './types';

const part = 'serving: cost of a model and an iteration';

const transformed = (preset: TransformId, shared: object = {}) =>
  comparedCells({ transform: { type: 'preset', preset } }, shared);
const sarathi = (tokenBudget: number) => ({ strategy: { type: 'sarathi', tokenBudget } });
const quality = 'accuracy';

/** Methods that change what an iteration costs: as options of the cost model under any strategy. */
export const SERVING_COST_METHODS: readonly Method[] = [
  {
    id: 'finequant',
    name: 'FineQuant',
    part,
    says: 'Weights in 4 bits with scales of small groups: a decode reads a quarter of the bytes, arithmetic stays in 16 bits.',
    cells: transformed('finequant-int4'),
    leavesOut: `${quality}; the price of widening the weights`,
  },
  {
    id: 'squeezellm',
    name: 'SqueezeLLM',
    part,
    says: 'Weights in 3 bits by a table, the few that matter sparse and in full: a fifth of the bytes.',
    cells: transformed('squeezellm'),
    leavesOut: `${quality}; the price of tables and of the sparse part`,
  },
  {
    id: 'dfloat11',
    name: 'DFloat11',
    part,
    says: 'Lossless weights at 70 % of their size, unpacked into memory block by block in every iteration.',
    cells: transformed('dfloat11'),
    leavesOut: 'the alternative it is for: weights in host memory; see its check',
  },
  {
    id: 'nanoflow',
    name: 'NanoFlow',
    part,
    says: 'Nano-batches let products, attention of decodes and collectives run at once: the longest lane counts.',
    cells: comparedCells(
      { costModel: { type: 'roofline', overlap: { type: 'lanes' } } },
      { model: 'llama-3.1-70b', tensorParallel: 8, ...sarathi(2048) },
    ),
    leavesOut:
      'the search of shares and nano-batch sizes; how lanes slow each other is one assumed number',
  },
  {
    id: 'tokenweave',
    name: 'TokenWeave',
    part,
    says: 'From 1,024 tokens on an iteration runs in two halves: the all-reduce and norm of one under the compute of the other.',
    cells: comparedCells(
      { costModel: { type: 'roofline', overlap: { type: 'token-split' } } },
      {
        model: 'llama-3.1-70b',
        hardware: 'h100',
        tensorParallel: 8,
        ...sarathi(2048),
      },
    ),
    leavesOut: 'waves of half batches; reduction inside the switch',
  },
  {
    id: 'fastdraft',
    name: 'FastDraft',
    part,
    says: 'A draft of 150 million parameters proposes tokens, and the target verifies them in one pass.',
    cells: comparedCells({
      speculation: { type: 'draft', draftTokens: 4, acceptance: 0.7, draftCost: 0.15 / 8 },
    }),
    leavesOut: 'the training of the draft; acceptance is a number given',
  },
];
