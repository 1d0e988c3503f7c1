import { kvBytes, type StorageOptions, stateBytes } from './state-bytes';
import type { RecurrentRule, RecurrentShape } from './types';

/**
 * A stack that mixes recurrent layers with sliding-window softmax layers. Of every `softmaxEvery`
 * layers the first is a window layer, so 4 is the 1:3 ratio of InfiniteVL; 0 is no window layer.
 */
export interface Hybrid {
  readonly layers: number;
  readonly softmaxEvery: number;
  readonly windowTokens: number;
}

export type HybridLayer = 'window' | 'recurrent';

/** The stack's layers, bottom to top. */
export function hybridLayers({ layers, softmaxEvery }: Hybrid): readonly HybridLayer[] {
  return Array.from({ length: layers }, (_, i) =>
    softmaxEvery > 0 && i % softmaxEvery === 0 ? 'window' : 'recurrent',
  );
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
  readonly hybrid: number;
  /** The same number of layers, all recurrent, and all full attention. */
  readonly recurrentOnly: number;
  readonly fullAttention: number;
}

type HeadSizes = Pick<RecurrentShape, 'batch' | 'heads' | 'keySize' | 'valueSize'>;

/**
 * Bytes that a hybrid keeps after `contextTokens` tokens, per layer and in total: a window layer
 * holds min(windowTokens, contextTokens) keys and values, a recurrent layer its state.
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
  const windowLayers = hybridLayers(hybrid).filter((layer) => layer === 'window').length;
  const windowLayer = kvBytes(attention, Math.min(hybrid.windowTokens, contextTokens), options);
  const recurrentLayer = stateBytes(rule, shape, options);
  const fullLayer = kvBytes(attention, contextTokens, options);
  const windows = windowLayers * windowLayer;
  const states = (hybrid.layers - windowLayers) * recurrentLayer;
  return {
    contextTokens,
    windowLayer,
    recurrentLayer,
    fullLayer,
    windows,
    states,
    hybrid: windows + states,
    recurrentOnly: hybrid.layers * recurrentLayer,
    fullAttention: hybrid.layers * fullLayer,
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
