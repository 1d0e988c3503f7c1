import { cellOf, compositionCells, mappedCellOf, recurrentCells } from './cells';
import type { Method } from './types';

const part = 'linear and recurrent';
const WEIGHTS = 'its weights are trained; here the inputs are drawn from a seed';

/** Layers that keep a state instead of a cache, and stacks that mix both. */
export const RECURRENT_METHODS: readonly Method[] = [
  {
    id: 'infinitevl',
    name: 'InfiniteVL',
    part,
    says: 'One sliding-window layer for every three of the gated delta rule: memory stays constant, however long the stream.',
    cells: recurrentCells('infinitevl'),
    leavesOut: WEIGHTS,
  },
  {
    id: 'lawcat',
    name: 'LAWCAT',
    part,
    says: 'A causal convolution over tokens before queries, keys and values, then normalised gated linear attention, distilled from a softmax model.',
    cells: recurrentCells('lawcat'),
    leavesOut: 'the distillation',
  },
  {
    id: 'jrt',
    name: 'Just read twice',
    part,
    says: 'A prefix is read in both directions: a second state over all of it is added to the causal one. Or the prompt is simply repeated, and the model reads it twice.',
    cells: [...recurrentCells('jrt-rnn'), ...cellOf('recall-gap', { readTwice: true })],
    leavesOut: `in the recurrent cell ${WEIGHTS}; the prompt read twice is shown by small models trained on pairs, not by language models`,
  },
  {
    id: 'mom',
    name: 'MoM',
    part,
    says: 'A router sends each token to a few of several memories, each a gated delta state of its own; outputs are mixed by the router.',
    cells: recurrentCells('mom'),
    leavesOut: WEIGHTS,
  },
  {
    id: 'lact',
    name: 'LaCT',
    part,
    says: 'The state is a small network; after every large chunk it takes a gradient step towards mapping keys to values.',
    cells: recurrentCells('lact'),
    leavesOut: `the window beside it, and a GPU kernel: it runs on the CPU; ${WEIGHTS}`,
  },
  {
    id: 'lmuformer',
    name: 'LMUFormer',
    part,
    says: 'A fixed linear system keeps the Legendre coefficients of a sliding window of its input, from which the window can be rebuilt.',
    cells: recurrentCells('lmu'),
    leavesOut: 'the trained layers around it',
  },
  {
    id: 'timelygpt',
    name: 'TimelyGPT',
    part,
    says: 'Retention: additive memory with a fixed decay per head.',
    cells: recurrentCells('timelygpt'),
    leavesOut: `its xPos rotation, which a compose cell has; ${WEIGHTS}`,
  },
  {
    id: 'tim4rec',
    name: 'TiM4Rec',
    part,
    says: 'Mamba-2 with decays that know the time between two events.',
    cells: recurrentCells('tim4rec'),
    leavesOut: 'decays from real times; here they are drawn from the seed',
  },
  {
    id: 'sana-streaming',
    name: 'SANA-Streaming',
    part,
    says: 'Gated delta layers with a few softmax layers among them, for video that is edited as it streams.',
    cells: mappedCellOf('recurrent', {
      rule: { type: 'gated-delta' },
      hybrid: { layers: 12, softmaxEvery: 6, windowTokens: 4096 },
    }),
    leavesOut: `how many softmax layers there are, and where, is ours; ${WEIGHTS}`,
  },
  {
    id: 'sambay-gmu',
    name: 'SambaY',
    part,
    says: 'A first half of Mamba and sliding-window layers makes the only cache; the second half reads it by cross-attention, here differential as in Phi-4-mini-flash, and alternates with gated memory units: W2 (m o silu(W1 x)), m the output of an earlier layer.',
    cells: [...recurrentCells('sambay'), ...compositionCells('differential')],
    leavesOut: `the layers below and above run as bytes and arithmetic, one layer with one unit as numbers; how many layers there are is ours; ${WEIGHTS}`,
  },
  {
    id: 'nemotron-flash',
    name: 'Nemotron-Flash',
    part,
    says: 'Searches for the stack of operators with the best quality at a measured latency. These cells are its first step: each operator, timed on this machine at one shape.',
    cells: [
      {
        id: 'softmax',
        kind: 'attention',
        params: { shape: { queryHeads: 4, kvHeads: 4, queries: 1024, keys: 1024 } },
      },
      { id: 'mamba', kind: 'recurrent', params: { rule: { type: 'ssd' } } },
      { id: 'delta', kind: 'recurrent', params: { rule: { type: 'delta' } } },
    ],
    leavesOut: 'the search and the training of what it finds',
  },
  {
    id: 'slowfast-vgen',
    name: 'SlowFast-VGen',
    part,
    says: 'A low-rank update of the weights, learnt after every generated chunk from its own inputs and outputs, keeps what happened in earlier chunks.',
    cells: recurrentCells('temporal-lora'),
    leavesOut: `the video model that is updated, whose place one linear map takes, and the slow learning around it; rank, steps and rates are ours; a GPU kernel: it runs on the CPU`,
  },
];
