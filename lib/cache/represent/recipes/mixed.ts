import { balancedBy, channelScaled, rootOfMaxima } from '../codecs/channel-scale';
import { uniform } from '../codecs/uniform';
import type { Matrix } from '../matrix';
import { wholeChannels } from './gear';
import type { Bits, PairCodecs } from './types';

/**
 * One level of MiKV (Yang et al. 2024), which holds would-be evicted slots in few bits: groups of
 * channels per token, with outlying key channels balanced against the queries.
 *
 * @param groupChannels must divide the columns
 * @param queries before RoPE; none leaves keys as they are
 */
export function balancedGroups(
  bits: Bits,
  groupChannels: number,
  queries: Matrix | undefined,
): PairCodecs {
  const grouped = uniform({ bits, granularity: { type: 'grouped', groupChannels } });
  return { keys: queries ? channelScaled(balancedBy(queries), grouped) : grouped, values: grouped };
}

/**
 * One level of ZipCache (He et al. 2024): keys per channel, values per token after every channel is
 * divided by the root of its largest magnitude.
 */
export function separableChannels(bits: Bits): PairCodecs {
  return {
    keys: wholeChannels(bits),
    values: channelScaled(rootOfMaxima, uniform({ bits, granularity: { type: 'token' } })),
  };
}
