import { widestChannels } from '../channels';
import { oneBit, ternary } from '../codecs/few-levels';
import { inFourierSpace } from '../codecs/real-fourier';
import { recentWindow, splitColumns } from '../codecs/split';
import { uniform } from '../codecs/uniform';
import type { MatrixCodec } from '../matrix';
import type { PairCodecs } from './types';

export interface VidkvOptions {
  /** Share of key channels, those with the largest range, that get 2 bits; the others get 1. */
  readonly twoBitShare: number;
  /** The 1-bit channels are transformed by Fourier before. */
  readonly fourier: boolean;
  readonly groupTokens: number;
  readonly windowTokens: number;
}

/**
 * VidKV (Tao et al. 2025): keys of 1.5 bits on average, ternary values per channel, both before
 * their scales. Only the independent half of a spectrum is stored.
 */
export function vidkv({
  twoBitShare,
  fourier,
  groupTokens,
  windowTokens,
}: VidkvOptions): PairCodecs {
  const two = uniform({ bits: 2, granularity: { type: 'channel', groupTokens } });
  const one = fourier ? inFourierSpace(oneBit(groupTokens)) : oneBit(groupTokens);
  const keys: MatrixCodec = (matrix) =>
    splitColumns(widestChannels(matrix, twoBitShare), two, one)(matrix);
  return {
    keys: recentWindow(keys, windowTokens, { multiple: groupTokens }),
    values: recentWindow(ternary(groupTokens), windowTokens, { multiple: groupTokens }),
  };
}
