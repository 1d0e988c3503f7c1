import type { Encoded } from '../../types';
import { encodeHalf } from '../codecs/float';
import { lowRank, projected } from '../codecs/low-rank';
import { recentWindow } from '../codecs/split';
import { uniform } from '../codecs/uniform';
import { encodeSpanning, type LayerRows, rankOf } from '../layer-rows';
import type { Matrix, MatrixCodec } from '../matrix';
import type { Bits } from '../recipes/types';
import type { Representation } from '../representation';
import { fitProjection } from './fit-basis';

/** Tokens that share the scale of a key coefficient, as in CSKV's 4-bit variant. */
const GROUP_TOKENS = 32;

/**
 * A layer's keys and values in a low-rank form of their projections (CSKV, Wang et al. 2024, without
 * its training). Fitted to the weights, the basis belongs to the model and takes no bytes here;
 * fitted to the prompt it is the least-squares optimum, and carried.
 *
 * @throws RangeError where a fit to the weights is asked without them
 */
export function encodeProjection(
  layer: LayerRows,
  { share, fit, bits }: Extract<Representation, { type: 'projection' }>,
): Encoded[] {
  const codecFor = (what: 'keys' | 'values'): MatrixCodec => {
    const coefficients = coefficientCodec(what, bits);
    return (matrix) => {
      const rank = rankOf(share, matrix.columns);
      if (fit === 'prompt') return lowRank(rank, coefficients)(matrix);
      const weight = weightOf(layer, what);
      return projected(fitProjection(weight, rank, { type: 'weights' }), coefficients)(matrix);
    };
  };
  return encodeSpanning(layer, { keys: codecFor('keys'), values: codecFor('values') });
}

function weightOf({ layer, weights }: LayerRows, what: 'keys' | 'values'): Matrix {
  if (!weights)
    throw new RangeError(`projection fitted to the weights needs those of layer ${layer}`);
  return weights[what];
}

function coefficientCodec(what: 'keys' | 'values', bits: Bits): MatrixCodec {
  if (bits === 16) return encodeHalf;
  if (what === 'values') return uniform({ bits, granularity: { type: 'token' } });
  return recentWindow(
    uniform({ bits, granularity: { type: 'channel', groupTokens: GROUP_TOKENS } }),
    0,
    { multiple: GROUP_TOKENS },
  );
}
