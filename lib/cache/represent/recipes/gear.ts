import { withLowRankResidual } from '../codecs/low-rank';
import { withOutliers } from '../codecs/outliers';
import { recentWindow } from '../codecs/split';
import { uniform } from '../codecs/uniform';
import type { MatrixCodec } from '../matrix';
import type { Bits, PairCodecs } from './types';

export interface GearOptions {
  readonly bits: Bits;
  /** 'vector': whole channels of keys, whole tokens of values (KCVT). 'groups': as KIVI. */
  readonly backbone:
    | { readonly type: 'vector' }
    | {
        readonly type: 'groups';
        readonly groupTokens: number;
        readonly groupChannels: number;
      };
  /** Share of entries of every vector kept apart; 0 for none. */
  readonly outlierShare: number;
  /** Rank of the residual's correction; 0 for none. */
  readonly rank: number;
  readonly powerLoops: number;
  /** Latest tokens that wait uncompressed in the streaming buffer. */
  readonly bufferTokens: number;
}

/**
 * GEAR (Kang et al. 2024): X is about Quant(X - S) + L R + S, with S the sparse outliers and L R a
 * low-rank form of what the quantiser loses.
 */
export function gear(options: GearOptions): PairCodecs {
  const { bits, backbone, bufferTokens } = options;
  const keys =
    backbone.type === 'groups'
      ? uniform({ bits, granularity: { type: 'channel', groupTokens: backbone.groupTokens } })
      : wholeChannels(bits);
  const values =
    backbone.type === 'groups'
      ? uniform({ bits, granularity: { type: 'grouped', groupChannels: backbone.groupChannels } })
      : uniform({ bits, granularity: { type: 'token' } });
  const multiple = backbone.type === 'groups' ? backbone.groupTokens : 1;
  return {
    keys: recentWindow(corrected(keys, 'channel', options), bufferTokens, { multiple }),
    values: recentWindow(corrected(values, 'token', options), bufferTokens),
  };
}

/** One scale per channel over however many tokens there are. */
export function wholeChannels(bits: Bits): MatrixCodec {
  return (matrix) =>
    uniform({ bits, granularity: { type: 'channel', groupTokens: Math.max(1, matrix.rows) } })(
      matrix,
    );
}

/**
 * The low-rank form is of what is left after outliers are taken out, so it wraps the quantiser; the
 * outliers are put back last and are exact.
 */
function corrected(
  codec: MatrixCodec,
  along: 'channel' | 'token',
  { rank, powerLoops, outlierShare }: GearOptions,
): MatrixCodec {
  const smooth = rank > 0 ? withLowRankResidual(codec, { rank, loops: powerLoops }) : codec;
  return outlierShare > 0 ? withOutliers(smooth, { share: outlierShare, along }) : smooth;
}
