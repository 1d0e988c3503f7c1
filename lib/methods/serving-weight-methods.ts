import { checkCell, comparedCells } from './serving-cells';
import type { Method } from './types';

const part = 'serving: cost of a model and an iteration';
const transform = (preset: string) => ({ transform: { type: 'preset', preset } });

/** Methods that keep weights below the accelerator's memory, and read them while they serve. */
export const SERVING_WEIGHT_METHODS: readonly Method[] = [
  {
    id: 'llm-in-a-flash',
    name: 'LLM in a flash',
    part,
    says: 'Half of the weights in flash; of them only the neurons are read that the last tokens did not use.',
    cells: [
      checkCell('llm-in-a-flash'),
      ...comparedCells(
        transform('llm-in-a-flash'),
        { model: 'llama-2-7b', hardware: 'rtx-4090' },
        { requests: 30, ratePerSecond: 0.2 },
      ),
    ],
    leavesOut:
      'the predictor of neurons, and reads that are slower the smaller they are; every iteration reads the same share, however many requests are in it',
  },
  {
    id: 'energonai',
    name: 'EnergonAI',
    part,
    says: 'Layers that do not fit lie in the memory of a neighbour and are read a layer ahead, beside the one that computes.',
    cells: [
      checkCell('energonai'),
      ...comparedCells(transform('energonai'), { model: 'qwen3-32b', hardware: 'a100-80g' }),
    ],
    leavesOut:
      'pipelines with and without blocking: those here never block; padding and its removal: no batch here is padded',
  },
  {
    id: 'tpi-llm',
    name: 'TPI-LLM',
    part,
    says: 'Tensor parallel over small devices that each hold a window of layers; the next ones come from a disk beside computing and all-reduces.',
    cells: comparedCells(
      transform('tpi-llm'),
      {
        model: 'llama-3.1-70b',
        hardware: 'rtx-4090',
        tensorParallel: 8,
        costModel: { type: 'roofline', collectiveLatencyMicroseconds: 1000 },
      },
      { requests: 10, ratePerSecond: 0.01 },
    ),
    leavesOut:
      'devices as small as its own; the star that sums up in two hops: a start-up of an all-reduce of 1 ms is a parameter here; blocks of attention and of feed-forward apart',
  },
];

const speculation = (acceptances: readonly number[], nodes: number, stepCost: number) => ({
  speculation: {
    type: 'draft',
    draftTokens: nodes,
    // Beyond the depth of the tree nothing is accepted: the other nodes are only verified.
    acceptances: [...acceptances, 0],
    draftCost: stepCost / nodes,
  },
});
const given = 'the numbers of acceptance by depth are given, not measured on a trained model';

/** Drafts that are trees: so many nodes verified in one pass, of which one path is accepted. */
export const SERVING_TREE_METHODS: readonly Method[] = [
  {
    id: 'hydra',
    name: 'Hydra',
    part,
    says: 'Draft heads that each see what the heads before them chose; a fixed sparse tree of candidates is verified in one pass.',
    cells: comparedCells(speculation([0.75, 0.7, 0.65, 0.6], 32, 0.05)),
    leavesOut: `the training of the heads; ${given}; a tree is as many verified tokens, whose paths are not told apart`,
  },
  {
    id: 'ppd',
    name: 'Parallel prompt decoding',
    part,
    says: 'Trained prompt tokens guess the next ones in the pass that verifies, and the tree of guesses is as large as the accelerator has arithmetic to spare.',
    cells: [
      { id: 'load', kind: 'workload', params: { source: { type: 'generator', requests: 300 } } },
      { id: 'plain', kind: 'serve', inputs: ['load'], params: {} },
      ...[4, 16, 64].map((nodes) => ({
        id: `tree-${nodes}`,
        kind: 'serve' as const,
        inputs: ['load'],
        // A larger tree holds likelier paths; it grows with the logarithm of its nodes.
        params: speculation(treeAcceptances(nodes), nodes, 0),
      })),
      {
        id: 'table',
        kind: 'table',
        inputs: ['plain', 'tree-4', 'tree-16', 'tree-64'],
        params: {},
      },
    ],
    leavesOut: `the training of its three tokens; ${given}, and grow by an assumed 0.08 with each doubling of the tree; choosing the tree by a measured curve: three sizes stand side by side`,
  },
  {
    id: 'specvlm',
    name: 'SpecVLM',
    part,
    says: 'A draft in the manner of EAGLE-2 for models that see, whose images are compressed by what suits them.',
    cells: comparedCells(
      speculation([0.8, 0.7, 0.65, 0.6, 0.55], 48, 0.2),
      {},
      {
        type: 'synthetic',
        ratePerSecond: 2,
        lengths: { model: 'fixed', promptTokens: 2900, outputTokens: 200 },
      },
    ),
    leavesOut: `the compressor, and the draft's own prefill of what it leaves of an image; its training; ${given}`,
  },
];

function treeAcceptances(nodes: number): readonly number[] {
  const first = Math.min(0.9, 0.35 + 0.08 * Math.log2(nodes));
  return [first, first - 0.1, first - 0.2];
}
