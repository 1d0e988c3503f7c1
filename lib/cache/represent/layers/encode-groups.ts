import type { Encoded } from '../../types';
import { encodeHalf } from '../codecs/float';
import { encodedPair, perHead } from '../encode';
import { encodeSpanning, type LayerRows, layerMatrix, rankOf } from '../layer-rows';
import type { EncodedMatrix } from '../matrix';
import type { Representation } from '../representation';
import { encodeAcrossLayers } from './across-layers';
import { mergeSpherically } from './spherical-merge';

/** Groups of consecutive layers; the last may be smaller. */
export function groupsOf<T>(items: readonly T[], size: number): T[][] {
  if (!(Number.isInteger(size) && size >= 1)) {
    throw new RangeError(`invalid layersPerGroup: ${size} (expected an integer from 1)`);
  }
  const groups: T[][] = [];
  for (let at = 0; at < items.length; at += size) groups.push(items.slice(at, at + size));
  return groups;
}

/** xKV: every group of layers shares its coefficients. */
export function encodeCrossLayer(
  layers: readonly LayerRows[],
  { layersPerGroup, keyShare, valueShare }: Extract<Representation, { type: 'cross-layer' }>,
): Encoded[][] {
  return groupsOf(layers, layersPerGroup).flatMap((group) => {
    const encodeAll = (what: 'keys' | 'values', share: number): EncodedMatrix[] => {
      const matrices = group.map((layer) => layerMatrix(layer, what));
      if (share >= 1) return matrices.map(encodeHalf);
      const columns = matrices.reduce((sum, matrix) => sum + matrix.columns, 0);
      return encodeAcrossLayers(matrices, rankOf(share, columns));
    };
    return pairs(group, encodeAll('keys', keyShare), encodeAll('values', valueShare));
  });
}

/** MiniCache: layers from a depth on in pairs; the others, and one left over, in f16. */
export function encodeSpherical(
  layers: readonly LayerRows[],
  options: Extract<Representation, { type: 'spherical' }>,
  depth: number,
): Encoded[][] {
  const early = layers.filter(({ layer }) => layer < options.fromShare * depth);
  const late = layers.slice(early.length);
  const plain = { keys: encodeHalf, values: encodeHalf };
  return [
    ...early.map((layer) => encodeSpanning(layer, plain)),
    ...groupsOf(late, 2).flatMap((group) => {
      const [first, second] = group;
      if (!first || !second) return group.map((layer) => encodeSpanning(layer, plain));
      const merge = (what: 'keys' | 'values') =>
        mergeSpherically(layerMatrix(first, what), layerMatrix(second, what), options);
      return pairs(group, merge('keys'), merge('values'));
    }),
  ];
}

function pairs(
  layers: readonly LayerRows[],
  keys: readonly EncodedMatrix[],
  values: readonly EncodedMatrix[],
): Encoded[][] {
  return layers.map(({ heads }, i) => {
    const ownKeys = perHead(keys[i]!, heads.length);
    const ownValues = perHead(values[i]!, heads.length);
    return ownKeys.map((own, head) => encodedPair(own, ownValues[head]!));
  });
}
