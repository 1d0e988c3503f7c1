import type { AttentionShape } from '../spec/kinds/attention';
import { tensorBytes } from './checks';
import type { AttentionResult } from './types';

/** Tensors in memory: S are the scores, P their exponentials; both [batch, queryHeads, queries, keys]. */
export type PassTensor = 'Q' | 'K' | 'V' | 'S' | 'P' | 'O' | 'LSE';

/** Tensors read and written between two looks at memory. */
export interface PassStep {
  readonly name: string;
  readonly reads: readonly PassTensor[];
  readonly writes: readonly PassTensor[];
}

export interface PassScheme {
  readonly id: 'three-pass' | 'two-pass' | 'one-pass';
  readonly title: string;
  readonly steps: readonly PassStep[];
}

/**
 * Attention by how often it goes over the keys of a row, the classes of FuseMax (Nayak et al., 2024). Three passes take the maximum, the sum and the quotient one after another, over
 * scores that lie in memory, as standard attention does (FlashAttention, Dao et al., 2022,
 * arXiv:2205.14135, algorithm 0, which counts the softmax as one step where a row fits on the chip).
 * Two passes take exponentials against the maximum of a tile and correct them later. One pass
 * rescales a running sum (online softmax, Milakov and Gimelshein, 2018, arXiv:1805.02867), and
 * neither S nor P ever reaches memory.
 */
export const PASS_SCHEMES: readonly PassScheme[] = [
  {
    id: 'three-pass',
    title: 'three passes, scores in memory',
    steps: [
      { name: 'scores', reads: ['Q', 'K'], writes: ['S'] },
      { name: 'row maximum', reads: ['S'], writes: [] },
      { name: 'exponentials and their sum', reads: ['S'], writes: ['P'] },
      { name: 'quotient, times V', reads: ['P', 'V'], writes: ['O', 'LSE'] },
    ],
  },
  {
    id: 'two-pass',
    title: 'two passes, maximum by tile',
    steps: [
      { name: 'scores, exponentials by tile', reads: ['Q', 'K'], writes: ['P'] },
      { name: 'correction, sum, times V', reads: ['P', 'V'], writes: ['O', 'LSE'] },
    ],
  },
  {
    id: 'one-pass',
    title: 'one pass, online softmax',
    steps: [{ name: 'everything', reads: ['Q', 'K', 'V'], writes: ['O', 'LSE'] }],
  },
];

/** f32 bytes of the tensors of one call; S and P are whole, since a mask does not shrink them. */
export function passTensorBytes(shape: AttentionShape): Readonly<Record<PassTensor, number>> {
  const { query, key, value, output, lse } = tensorBytes(shape);
  const scores = 4 * shape.batch * shape.queryHeads * shape.queries * shape.keys;
  return { Q: query, K: key, V: value, S: scores, P: scores, O: output, LSE: lse };
}

/** Bytes that a step moves, when every tensor is moved once: the least that the scheme needs. */
export function stepBytes({ reads, writes }: PassStep, shape: AttentionShape): number {
  const bytes = passTensorBytes(shape);
  return [...reads, ...writes].reduce((sum, tensor) => sum + bytes[tensor], 0);
}

export function schemeBytes({ steps }: PassScheme, shape: AttentionShape): number {
  return steps.reduce((sum, step) => sum + stepBytes(step, shape), 0);
}

/**
 * Bytes that the kernel asks for: Q, O and the LSE once, and a block of K and of V for each block
 * that a query block visits (queries outside, keys inside, as in FlashAttention-2, Dao, 2023,
 * arXiv:2307.08691). Caches may serve some of them.
 *
 * @param headsPerList query heads that a kernel treats together, sharing what they load
 */
export function kernelBytes(
  shape: AttentionShape,
  { blockQueries, blockKeys, full, partial, total }: AttentionResult['blockList'],
  headsPerList: number,
): number {
  const { Q, O, LSE } = passTensorBytes(shape);
  const blocksPerList = Math.ceil(shape.queries / blockQueries) * Math.ceil(shape.keys / blockKeys);
  const visitedPerList = (full + partial) / (total / blocksPerList);
  const visited = visitedPerList * shape.batch * (shape.queryHeads / headsPerList);
  return Q + O + LSE + visited * 2 * 4 * blockKeys * shape.headSize;
}
