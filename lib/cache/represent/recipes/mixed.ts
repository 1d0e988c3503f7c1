import { balancedBy, channelScaled, rootOfMaxima } from '../codecs/channel-scale';
import { splitRows } from '../codecs/split';
import { uniform } from '../codecs/uniform';
import type { Matrix, MatrixCodec } from '../matrix';
import { wholeChannels } from './gear';
import type { Bits, PairCodecs } from './types';

export interface MixedOptions {
  /** Bits of the slots that a policy would keep, and of those that it would evict. */
  readonly high: Bits;
  readonly low: Bits;
}

export interface MikvOptions extends MixedOptions {
  /** Channels of a token that share a scale; must divide the columns. */
  readonly groupChannels: number;
  /** Queries before RoPE that the channels are balanced against; none leaves keys as they are. */
  readonly queries?: Matrix;
}

/** Slots of one level of MiKV: groups of channels per token, keys balanced where queries are given. */
export function balancedGroups(
  bits: Bits,
  groupChannels: number,
  queries: Matrix | undefined,
): PairCodecs {
  const grouped = uniform({ bits, granularity: { type: 'grouped', groupChannels } });
  return { keys: queries ? channelScaled(balancedBy(queries), grouped) : grouped, values: grouped };
}

/**
 * Mixed precision in place of eviction (MiKV, Yang et al. 2024): important slots in high precision,
 * the others in groups of few bits, with outlying key channels balanced against the queries.
 *
 * @param important [slots]
 */
export function mikv(important: readonly boolean[], options: MikvOptions): PairCodecs {
  const { groupChannels, queries } = options;
  const [high, low] = [options.high, options.low].map((bits) =>
    uniform({ bits, granularity: { type: 'grouped', groupChannels } }),
  );
  const levels = splitRows(important, high!, low!);
  return { keys: queries ? channelScaled(balancedBy(queries), levels) : levels, values: levels };
}

/** Slots of one level of ZipCache: keys per channel, values per token after channels are scaled. */
export function separableChannels(bits: Bits): PairCodecs {
  return {
    keys: wholeChannels(bits),
    values: channelScaled(rootOfMaxima, uniform({ bits, granularity: { type: 'token' } })),
  };
}

/**
 * ZipCache (He et al. 2024): two levels by saliency; keys per channel, values per token after every
 * channel is divided by the root of its largest magnitude.
 *
 * @param salient [slots]
 */
export function zipcache(salient: readonly boolean[], { high, low }: MixedOptions): PairCodecs {
  const perToken = (bits: Bits): MatrixCodec => uniform({ bits, granularity: { type: 'token' } });
  return {
    keys: splitRows(salient, wholeChannels(high), wholeChannels(low)),
    values: channelScaled(rootOfMaxima, splitRows(salient, perToken(high), perToken(low))),
  };
}
