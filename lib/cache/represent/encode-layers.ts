import type { CacheCorrector } from '../../spec/cache-actions';
import type { Encoded } from '../types';
import { correctedCodecs } from './codecs/corrected';
import { encodeHalf } from './codecs/float';
import { lowRank } from './codecs/low-rank';
import { encodeHead, type HeadRows } from './encode';
import { encodeSpanning, type LayerRows, rankOf } from './layer-rows';
import { encodeCrossLayer, encodeSpherical } from './layers/encode-groups';
import { encodePrincipal } from './layers/encode-principal';
import { encodeProjection } from './layers/encode-projection';
import { besideEachOther, type Matrix } from './matrix';
import { cachegen } from './recipes/cachegen';
import { gear } from './recipes/gear';
import { kivi, perToken } from './recipes/grouped';
import { balancedGroups, separableChannels } from './recipes/mixed';
import type { PairCodecs } from './recipes/types';
import { vidkv } from './recipes/vidkv';
import type { Representation } from './representation';

/**
 * Slots of all layers in another form.
 *
 * @param layers that hold slots to encode, ascending
 * @param depth layers of the model
 * @param corrector of the forms that quantise; forms that share factors across layers have none
 * @returns [layers given][kvHeads]
 * @throws RangeError where heads do not hold the same number of slots and the form spans them, or a
 * parameter does not fit
 */
export function encodeLayers(
  representation: Representation,
  layers: readonly LayerRows[],
  depth: number,
  corrector: CacheCorrector = { type: 'none' },
): Encoded[][] {
  switch (representation.type) {
    case 'cross-layer':
      return encodeCrossLayer(layers, representation);
    case 'spherical':
      return encodeSpherical(layers, representation, depth);
    case 'principal':
      return encodePrincipal(layers, representation.share);
    case 'projection':
      return layers.map((layer) => encodeProjection(layer, representation));
    case 'low-rank': {
      const ranked = (share: number) => (matrix: Matrix) =>
        share >= 1 ? encodeHalf(matrix) : lowRank(rankOf(share, matrix.columns))(matrix);
      const codecs = {
        keys: ranked(representation.keyShare),
        values: ranked(representation.valueShare),
      };
      return layers.map((layer) => encodeSpanning(layer, codecs));
    }
    case 'kivi': {
      const codecs = kivi({ ...representation, windowTokens: 0 });
      return layers.map((layer) =>
        encodeSpanning(
          layer,
          correctedCodecs(codecs, corrector, layer.queries && besideEachOther(layer.queries)),
        ),
      );
    }
    case 'cachegen':
      return layers.map((layer) =>
        encodeSpanning(layer, cachegen(layer.layer, depth, representation.anchorRows)),
      );
    default: {
      const each = representation;
      return layers.map(({ heads, queries, layer }) =>
        heads.map((head, index) => {
          const own = queries?.[index];
          const { keys, values } = correctedCodecs(
            headCodecs(each, head, own, layer, index),
            corrector,
            own,
          );
          return encodeHead(head, keys, values);
        }),
      );
    }
  }
}

type OfOneHead = Extract<
  Representation,
  { type: 'per-token' | 'gear' | 'mikv' | 'zipcache' | 'vidkv' }
>;

function headCodecs(
  representation: OfOneHead,
  head: HeadRows,
  queries: Matrix | undefined,
  layer: number,
  kvHead: number,
): PairCodecs {
  const asked = (): Matrix => {
    if (queries) return queries;
    throw new RangeError(
      `${representation.type} needs the last queries of layer ${layer}, KV head ${kvHead}`,
    );
  };
  switch (representation.type) {
    case 'per-token':
      return perToken(representation.bits);
    case 'gear': {
      const { groupTokens } = representation;
      return gear({
        ...representation,
        backbone:
          groupTokens === 0
            ? { type: 'vector' }
            : { type: 'groups', groupTokens, groupChannels: head.headSize },
        bufferTokens: 0,
      });
    }
    case 'mikv': {
      const { bits, groupChannels, balanced } = representation;
      return balancedGroups(bits, groupChannels, balanced ? asked() : undefined);
    }
    case 'zipcache':
      return separableChannels(representation.bits);
    case 'vidkv':
      return vidkv({ ...representation, windowTokens: 0 });
  }
}
