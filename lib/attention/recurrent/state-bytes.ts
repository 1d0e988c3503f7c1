import { fastElements, fastSizes } from './fast-weights';
import { mixtureMemories } from './mixture';
import { stateRows } from './rule';
import { loraElements, loraSizes } from './temporal-lora';
import type { RecurrentRule, RecurrentShape } from './types';

type HeadSizes = Pick<RecurrentShape, 'batch' | 'heads' | 'keySize' | 'valueSize'>;

export interface StorageOptions {
  /** 4 for f32, the usual precision of a state, which is written once per token. */
  readonly bytesPerElement?: number;
  /** Width of a short convolution before q, k, v; it keeps width - 1 tokens of each. */
  readonly convolutionWidth?: number;
}

/**
 * Bytes that one layer keeps between tokens, whatever the context's length:
 * batch x heads x (stateRows x keySize + (convolutionWidth - 1) (2 keySize + valueSize)), with a
 * state for every memory of a mixture. Fast weights keep, besides themselves and the norms of their
 * rows, the gradient that the chunk has gathered so far and, for the momentum, the update before. A
 * low-rank update keeps the pairs of the chunk that it has not learnt yet.
 * A prefix state is added to the causal one, so prefix-linear keeps no more than additive.
 */
export function stateBytes(
  rule: RecurrentRule,
  shape: HeadSizes,
  { bytesPerElement = 4, convolutionWidth = 1 }: StorageOptions = {},
): number {
  const { batch, heads, keySize, valueSize } = shape;
  const convolution = (convolutionWidth - 1) * (2 * keySize + valueSize);
  return batch * heads * (stateElements(rule, shape) + convolution) * bytesPerElement;
}

/** State elements of one head. */
function stateElements(rule: RecurrentRule, shape: HeadSizes): number {
  if (rule.type === 'mom') return mixtureMemories(rule) * shape.valueSize * shape.keySize;
  if (rule.type === 'lmu') return shape.valueSize * shape.keySize;
  if (rule.type === 'lact') {
    const sizes = fastSizes(rule, shape);
    const norms = 2 * sizes.hiddenSize + sizes.valueSize;
    return (rule.hasMomentum ? 3 : 2) * fastElements(sizes) + norms;
  }
  if (rule.type === 'temporal-lora') {
    // Several steps over a chunk need its pairs until it is learnt.
    const pairs = rule.chunkTokens * (shape.keySize + shape.valueSize);
    return loraElements(loraSizes(rule, shape)) + pairs;
  }
  return stateRows(rule, { ...shape, tokens: 1 }) * shape.keySize;
}

/** Bytes of one softmax layer's cache over `keys` positions: batch x heads x keys x (keySize + valueSize). */
export function kvBytes(
  shape: HeadSizes,
  keys: number,
  { bytesPerElement = 4 }: StorageOptions = {},
): number {
  return shape.batch * shape.heads * keys * (shape.keySize + shape.valueSize) * bytesPerElement;
}

/** Keys, of `attentionKeySize` channels, after which a softmax layer's cache is larger than the state. */
export function breakEvenKeys(
  rule: RecurrentRule,
  shape: HeadSizes,
  options: StorageOptions = {},
  attentionKeySize = shape.keySize,
): number {
  const attention = { ...shape, keySize: attentionKeySize };
  return stateBytes(rule, shape, options) / kvBytes(attention, 1, options);
}
