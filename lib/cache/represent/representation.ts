import type { Bits } from './recipes/types';

/**
 * The forms that slots can be held in besides plain f16, as data. A share is of the channels of the
 * matrix that is encoded, so that a rank keeps its meaning on a model of another width.
 */
export type Representation =
  /** Uniform, one scale per token of a head. */
  | { readonly type: 'per-token'; readonly bits: Bits }
  /** Keys per channel in groups of tokens, values per token in groups of channels of the layer. */
  | {
      readonly type: 'kivi';
      readonly bits: Bits;
      readonly groupTokens: number;
      readonly groupChannels: number;
    }
  /** Quantised, with sparse outliers and a low-rank residual per head. */
  | {
      readonly type: 'gear';
      readonly bits: Bits;
      /** Tokens of a key's group; 0 for whole channels. */
      readonly groupTokens: number;
      readonly outlierShare: number;
      readonly rank: number;
      readonly powerLoops: number;
    }
  /** Groups of channels per token, keys balanced against the last queries where asked. */
  | {
      readonly type: 'mikv';
      readonly bits: Bits;
      readonly groupChannels: number;
      readonly balanced: boolean;
    }
  /** Keys per channel, values per token after their channels are scaled. */
  | { readonly type: 'zipcache'; readonly bits: Bits }
  /** Keys of 1 and 2 bits, ternary values. */
  | {
      readonly type: 'vidkv';
      readonly twoBitShare: number;
      readonly fourier: boolean;
      readonly groupTokens: number;
    }
  /** An entropy-coded stream of deltas to anchors; 0 anchorRows for none. */
  | { readonly type: 'cachegen'; readonly anchorRows: number }
  /** Key channels dropped in RoPE pairs; values in f16. */
  | {
      readonly type: 'channel-prune';
      readonly ratio: number;
      readonly scoredBy: 'queries' | 'keys';
    }
  /** The truncated SVD of a layer's heads together; keys alone where valueShare is 1. */
  | { readonly type: 'low-rank'; readonly keyShare: number; readonly valueShare: number }
  /** Coefficients shared by neighbouring layers. */
  | {
      readonly type: 'cross-layer';
      readonly layersPerGroup: number;
      readonly keyShare: number;
      readonly valueShare: number;
    }
  /** Principal components per head, ranks given out greedily over all layers, heads, keys and values. */
  | { readonly type: 'principal'; readonly share: number }
  /** A low-rank form of the key and value projections. */
  | {
      readonly type: 'projection';
      readonly share: number;
      readonly fit: 'weights' | 'prompt';
      /** Bits of the coefficients: keys per channel in groups of 32 tokens, values per token. */
      readonly bits: Bits;
    }
  /** Pairs of neighbouring layers as one direction and two lengths, from `fromShare` of the depth on. */
  | {
      readonly type: 'spherical';
      readonly share: number;
      readonly retained: number;
      readonly fromShare: number;
    };

/** Slots are held, or their number reduced, in these families; what a view calls them. */
export function stateOf(type: Representation['type']): 'quantised' | 'projected' {
  switch (type) {
    case 'per-token':
    case 'kivi':
    case 'gear':
    case 'mikv':
    case 'zipcache':
    case 'vidkv':
    case 'cachegen':
      return 'quantised';
    default:
      return 'projected';
  }
}

/** What a representation must be given beside the rows. */
export function needsOf(representation: Representation): {
  readonly queries: boolean;
  readonly weights: boolean;
  /** All heads of a layer, and for some all layers, must hold the same slots. */
  readonly alignedHeads: boolean;
} {
  const { type } = representation;
  return {
    queries:
      (type === 'mikv' && representation.balanced) ||
      (type === 'channel-prune' && representation.scoredBy === 'queries'),
    weights: type === 'projection' && representation.fit === 'weights',
    alignedHeads: [
      'kivi',
      'low-rank',
      'cross-layer',
      'projection',
      'cachegen',
      'spherical',
    ].includes(type),
  };
}
