import type { Encoded } from '../types';
import { encodedPair, type HeadRows, perHead } from './encode';
import { besideEachOther, type Matrix } from './matrix';
import type { PairCodecs } from './recipes/types';

/** The slots of one layer that are to be held in another form. */
export interface LayerRows {
  readonly layer: number;
  /** By KV head. */
  readonly heads: readonly HeadRows[];
  /** Last queries before RoPE of the query heads of each KV head, [any number, headSize]. */
  readonly queries?: readonly Matrix[];
  /** The layer's key and value projections, [kvHeads x headSize, hiddenSize]. */
  readonly weights?: { readonly keys: Matrix; readonly values: Matrix };
}

/** All heads of a layer as one matrix. */
export function encodeSpanning(layer: LayerRows, codecs: PairCodecs): Encoded[] {
  const keys = perHead(codecs.keys(layerMatrix(layer, 'keys')), layer.heads.length);
  const values = perHead(codecs.values(layerMatrix(layer, 'values')), layer.heads.length);
  return keys.map((own, head) => encodedPair(own, values[head]!));
}

/** Keys or values of all heads side by side, [slots, kvHeads x headSize]. */
export function layerMatrix({ layer, heads }: LayerRows, what: 'keys' | 'values'): Matrix {
  const slots = heads[0]?.slots ?? 0;
  heads.forEach((head, index) => {
    if (head.slots !== slots) {
      throw new RangeError(
        `KV head ${index} of layer ${layer} holds ${head.slots} slots to encode and head 0 ${slots}: this form spans heads and needs the same of each`,
      );
    }
  });
  return besideEachOther(
    heads.map((head) => ({ rows: head.slots, columns: head.headSize, data: head[what] })),
  );
}

/** Directions that a share of the channels comes to, at least one. */
export function rankOf(share: number, columns: number): number {
  if (!(share > 0 && share <= 1)) throw new RangeError(`invalid share: ${share} (expected 0..1)`);
  return Math.max(1, Math.round(share * columns));
}
