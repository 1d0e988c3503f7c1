import type { CacheCorrector } from '../../../spec/cache-actions';
import type { Matrix, MatrixCodec } from '../matrix';
import type { PairCodecs } from '../recipes/types';
import { balancedBy, channelScaled, rootOfMaxima } from './channel-scale';
import { withLowRankResidual } from './low-rank';
import { withOutliers } from './outliers';

/** Power iterations of a residual's factors, as GEAR's code runs. */
const POWER_LOOPS = 3;

/**
 * Codecs with what a policy's corrector takes back of their error. A window of recent tokens is not
 * a codec's matter: those slots are not encoded at all.
 *
 * @param queries for scaling keys by them
 * @throws RangeError where keys are to be scaled by queries and there are none
 */
export function correctedCodecs(
  { keys, values }: PairCodecs,
  corrector: CacheCorrector,
  queries?: Matrix,
): PairCodecs {
  const both = (wrap: (codec: MatrixCodec) => MatrixCodec) => ({
    keys: wrap(keys),
    values: wrap(values),
  });
  switch (corrector.type) {
    case 'none':
    case 'recent-window':
      return { keys, values };
    case 'sparse-outliers': {
      const { share } = corrector;
      return {
        keys: withOutliers(keys, { share, along: 'channel' }),
        values: withOutliers(values, { share, along: 'token' }),
      };
    }
    case 'low-rank-residual':
      return both((codec) =>
        withLowRankResidual(codec, { rank: corrector.rank, loops: POWER_LOOPS }),
      );
    case 'pre-scale':
      if (corrector.by === 'channels') return both((codec) => channelScaled(rootOfMaxima, codec));
      if (!queries) throw new RangeError('pre-scale by queries needs the last queries');
      return { keys: channelScaled(balancedBy(queries), keys), values };
  }
}
