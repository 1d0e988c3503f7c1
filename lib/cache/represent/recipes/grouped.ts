import { recentWindow } from '../codecs/split';
import { uniform } from '../codecs/uniform';
import type { Bits, PairCodecs } from './types';

/** One scale and zero per token over all channels of the matrix: the plain int8 and int4 baselines. */
export function perToken(bits: Bits): PairCodecs {
  const codec = uniform({ bits, granularity: { type: 'token' } });
  return { keys: codec, values: codec };
}

export interface KiviOptions {
  readonly bits: Bits;
  /** Tokens that share the scale of a key channel. */
  readonly groupTokens: number;
  /** Neighbouring channels of a token that share the scale of a value; must divide the columns. */
  readonly groupChannels: number;
  /** Latest tokens that stay in f16. */
  readonly windowTokens: number;
}

/**
 * KIVI (Liu et al. 2024): asymmetric keys per channel in groups of tokens, values per token in
 * groups of channels, and a residual window in f16. Keys wait there until a whole group is full.
 */
export function kivi({ bits, groupTokens, groupChannels, windowTokens }: KiviOptions): PairCodecs {
  return {
    keys: recentWindow(
      uniform({ bits, granularity: { type: 'channel', groupTokens } }),
      windowTokens,
      { multiple: groupTokens },
    ),
    values: recentWindow(
      uniform({ bits, granularity: { type: 'grouped', groupChannels } }),
      windowTokens,
    ),
  };
}
