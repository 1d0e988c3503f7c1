import { kvBytes, type StorageOptions, stateBytes } from './state-bytes';
import type { RecurrentRule, RecurrentShape } from './types';

/**
 * A stack that mixes recurrent layers with sliding-window softmax layers. Of every `softmaxEvery`
 * layers the first is a window layer, so 4 is the 1:3 ratio of InfiniteVL; 0 is no window layer.
 * With `crossLayers` above it (Ren et al. 2025, SambaY) its last layer is full attention, and those
 * layers alternate between cross-attention to its cache and gated memory units.
 */
export interface Hybrid {
  readonly layers: number;
  readonly softmaxEvery: number;
  readonly windowTokens: number;
  /** 0 where absent. */
  readonly crossLayers?: number;
}

export type HybridLayer = 'window' | 'recurrent' | 'full' | 'cross' | 'unit';

/** The stack's layers, bottom to top. */
export function hybridLayers({
  layers,
  softmaxEvery,
  crossLayers = 0,
}: Hybrid): readonly HybridLayer[] {
  const lower = Array.from({ length: layers }, (_, i): HybridLayer => {
    if (crossLayers > 0 && i === layers - 1) return 'full';
    return softmaxEvery > 0 && i % softmaxEvery === 0 ? 'window' : 'recurrent';
  });
  const upper = Array.from({ length: crossLayers }, (_, i): HybridLayer => {
    return i % 2 === 0 ? 'cross' : 'unit';
  });
  return [...lower, ...upper];
}

/** Bytes kept after a number of tokens. */
export interface HybridBytes {
  readonly contextTokens: number;
  readonly windowLayer: number;
  readonly recurrentLayer: number;
  readonly fullLayer: number;
  /** Sums over the stack's window layers, its recurrent layers and both. */
  readonly windows: number;
  readonly states: number;
  /** Those two, and the cache that a second half reads. */
  readonly hybrid: number;
  /** The same number of layers, all recurrent, and all full attention. */
  readonly recurrentOnly: number;
  readonly fullAttention: number;
  /** What a decode step reads of it: the shared cache once for its own layer and every cross-attention. */
  readonly read: number;
  /** The same if every layer of the second half were cross-attention. */
  readonly readWithoutUnits: number;
}

type HeadSizes = Pick<RecurrentShape, 'batch' | 'heads' | 'keySize' | 'valueSize'>;

/**
 * Bytes that a hybrid keeps after `contextTokens` tokens, per layer and in total: a window layer
 * holds min(windowTokens, contextTokens) keys and values, a recurrent layer its state, a full layer
 * all keys and values, layers above it nothing.
 *
 * @param shape sizes of a recurrent layer, its keys after the feature map
 * @param attentionKeySize key channels of a softmax layer, which has no feature map
 */
export function hybridBytes(
  hybrid: Hybrid,
  rule: RecurrentRule,
  shape: HeadSizes,
  contextTokens: number,
  options: StorageOptions = {},
  attentionKeySize = shape.keySize,
): HybridBytes {
  const attention = { ...shape, keySize: attentionKeySize };
  const stack = hybridLayers(hybrid);
  const count = (wanted: HybridLayer) => stack.filter((layer) => layer === wanted).length;
  const windowLayers = count('window');
  const windowLayer = kvBytes(attention, Math.min(hybrid.windowTokens, contextTokens), options);
  const recurrentLayer = stateBytes(rule, shape, options);
  const fullLayer = kvBytes(attention, contextTokens, options);
  const windows = windowLayers * windowLayer;
  const states = count('recurrent') * recurrentLayer;
  const shared = count('full') * fullLayer;
  return {
    contextTokens,
    windowLayer,
    recurrentLayer,
    fullLayer,
    windows,
    states,
    hybrid: windows + states + shared,
    recurrentOnly: stack.length * recurrentLayer,
    fullAttention: stack.length * fullLayer,
    read: windows + states + shared * (1 + count('cross')),
    readWithoutUnits: windows + states + shared * (1 + (hybrid.crossLayers ?? 0)),
  };
}

/** Context lengths of the curve: 256 to 1 Mi tokens in powers of two. */
const CONTEXT_TOKENS = Array.from({ length: 13 }, (_, i) => 2 ** (8 + i));

/** `hybridBytes` over the context's length. */
export function hybridCurve(
  hybrid: Hybrid,
  rule: RecurrentRule,
  shape: HeadSizes,
  options: StorageOptions,
  attentionKeySize: number,
): readonly HybridBytes[] {
  return CONTEXT_TOKENS.map((tokens) =>
    hybridBytes(hybrid, rule, shape, tokens, options, attentionKeySize),
  );
}
