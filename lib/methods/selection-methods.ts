import { cacheCells, cellOf, presetCells, selectionCells, storageCells } from './cells';
import type { Method } from './types';

const part = 'dynamic selection';

/** Sparse attention whose pattern depends on the data, then exact and quantised kernels. */
export const SELECTION_METHODS: readonly Method[] = [
  {
    id: 'minference',
    name: 'MInference',
    part,
    says: 'Each head gets the best of three patterns, found once per model on a sample: sinks and a window, columns and diagonals, or blocks.',
    cells: selectionCells({ type: 'pattern-search' }),
  },
  {
    id: 'flexprefill',
    name: 'FlexPrefill',
    part,
    says: 'Per head and prompt, compares a pooled estimate with the true attention of the last queries: where they agree blocks are chosen, else lines, as many as a share of the mass needs.',
    cells: selectionCells({ type: 'flexprefill' }),
  },
  {
    id: 'sale',
    name: 'SALE',
    part,
    says: 'Sinks and a window give each row a bound; an estimate from low-bit queries and keys then drops every block whose elements all stay below it.',
    cells: selectionCells({ type: 'sale' }),
    leavesOut: 'the calibration of a threshold per head',
  },
  {
    id: 'pbs-attn',
    name: 'PBS-Attn',
    part,
    says: 'Sorts keys within segments by the attention of the last queries, so that important ones share blocks; then keeps blocks up to a share of the mass.',
    cells: selectionCells({ type: 'pbs' }),
    leavesOut: 'the kernel visits keys in their old order, so fewer blocks are skipped than there',
  },
  {
    id: 'hip-attention',
    name: 'HiP Attention',
    part,
    says: 'A tree search for the best keys of a query block: chunks are scored by one representative each, the best are split, and so on.',
    cells: selectionCells({ type: 'hip' }),
    leavesOut: 'refreshing the choice every few decode steps and keys on the host',
  },
  {
    id: 'loopserve',
    name: 'LoopServe',
    part,
    says: 'The fewest columns and diagonals that cover a share of the sampled attention mass, overlaps counted once.',
    cells: [...selectionCells({ type: 'line-cover' }), ...cacheCells('loopserve')],
  },
  {
    id: 'zipvl',
    name: 'ZipVL',
    part,
    says: 'Attention among the important tokens only, as many as cover a share of the probe queries’ attention.',
    cells: [
      ...selectionCells({ type: 'line-cover', kinds: 'columns' }),
      ...cacheCells('zipvl', { protocol: 'known' }),
    ],
    leavesOut:
      'in the attention cells the number of tokens is found per head, from the last queries alone and from sums that are not normalised; share and forced tokens are ours',
  },
  {
    id: 'tempcache',
    name: 'TempCache',
    part,
    says: 'Near-equal keys of successive frames become one slot; the logarithm of how many it stands for is added to its score, which is exact where they are equal.',
    cells: [...presetCells('log-multiplicity'), ...cacheCells('tempcache')],
    leavesOut: 'the nearest-neighbour search of AnnSA and AnnCA',
  },
  {
    id: 'deltallm',
    name: 'DeltaLLM',
    part,
    says: 'Keys outside a window are stored as differences to a reference key, small ones set to zero.',
    cells: storageCells('delta', { keyOutliers: 0, keyCarry: 0.95 }),
    leavesOut:
      'skipping the zeros: kernels read the keys written out; thresholds set by accuracy and memory, here one number; how alike neighbouring keys are is a number of this cell, not that of a model',
  },
  {
    id: 'flash-attention-2',
    name: 'FlashAttention-2',
    part: 'exact and quantised kernels',
    says: 'One pass over key tiles with a running maximum and sum; the output is scaled once at the end and the log-sum-exp kept. Every kernel here works so.',
    cells: cellOf('attention', { engine: 'webgpu' }),
  },
  {
    id: 'fusemax',
    name: 'FuseMax',
    part: 'exact and quantised kernels',
    says: 'Sorts attention kernels by how often they pass over a row of scores: three passes, two, or one.',
    cells: cellOf('attention', {}),
    leavesOut: 'the mapping to a spatial accelerator',
  },
  {
    id: 'fireq',
    name: 'FireQ',
    part: 'exact and quantised kernels',
    says: 'Four-bit keys and values; the two channels that RoPE turns into each other share a scale, so that it can be applied before or after the rotation.',
    cells: storageCells('rope-pair'),
    leavesOut: 'eight-bit floats for queries and the smoothing of remaining outliers',
  },
  {
    id: 'comet',
    name: 'COMET',
    part: 'exact and quantised kernels',
    says: 'A four-bit cache, unpacked in the kernel, beside four- and eight-bit activations.',
    cells: storageCells('int4-token'),
    leavesOut: 'the quantised matrix products of the other layers',
  },
  {
    id: 'mllm-npu',
    name: 'mllm-NPU',
    part: 'exact and quantised kernels',
    says: 'Eight-bit arithmetic on a phone, outlier channels computed apart; keys with such channels show why.',
    cells: storageCells('int8-token'),
    leavesOut: 'prompts in chunks of one size and the split of outlier channels',
  },
];
