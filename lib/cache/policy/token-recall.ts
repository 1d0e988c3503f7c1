import type { Transformer } from '../../transformer/types';
import type { SlotCache } from '../slots/types';
import type { LayerScores } from './scorers';

/** Tokens whose keys and values were dropped and can be made again from their ids. */
export interface TokenRecall {
  /** Real buffers: ids, and the text positions they stand at. */
  readonly ids: Uint16Array | Uint32Array;
  readonly positions: Int32Array;
  /**
   * Runs the tokens through the layers again and puts what heads have dropped back into them. In one
   * pass, over what the heads kept: where the ids of all that was dropped are there, every token
   * finds its whole past again, so that the result is that of the first pass. Where ids are missing
   * it is approximate: the tokens attend to a past with holes.
   */
  rebuild(): void;
  /** Drops again what `rebuild` made. */
  release(): void;
}

/**
 * @param context tokens, of which the cache has dropped some in some heads
 * @param scored of the slots before they were dropped, by layer
 * @param share of the dropped tokens, those of the best mean rank over all heads
 */
export function createTokenRecall(
  model: Transformer,
  cache: SlotCache,
  context: readonly number[],
  scored: readonly LayerScores[],
  share: number,
): TokenRecall {
  const { layers, kvHeads, vocabularySize } = model.config;
  const heads = Array.from({ length: layers * kvHeads }, (_, i) => ({
    layer: Math.floor(i / kvHeads),
    kvHead: i % kvHeads,
  }));
  const droppedAnywhere = new Set(
    heads.flatMap(({ layer, kvHead }) =>
      cache.dropped(layer, kvHead).filter((position) => position < context.length),
    ),
  );
  const positions = bestOf([...droppedAnywhere], scored, share);
  const tokens = Array.from(positions, (position) => context[position]!);
  const ids = (vocabularySize <= 0x10000 ? Uint16Array : Uint32Array).from(tokens);
  /** Positions that each head had to be given back, [layers * kvHeads]. */
  let missing: ReadonlySet<number>[] = [];

  return {
    ids,
    positions,
    rebuild() {
      if (positions.length === 0) return;
      missing = heads.map(({ layer, kvHead }) => {
        const held = new Set(cache.head(layer, kvHead).positions);
        return new Set(positions.filter((position) => !held.has(position)));
      });
      model.forward({
        tokens: ids,
        positions,
        logits: 'none',
        cache: {
          perQuery: false,
          queryIndex: cache.queryIndex,
          parts: cache.parts,
          append: (layer, rows) =>
            cache.append(layer, rows, (kvHead, position) =>
              missing[layer * kvHeads + kvHead]!.has(position),
            ),
        },
      });
      cache.charge({ recomputedTokenLayers: positions.length * layers });
    },
    release() {
      heads.forEach(({ layer, kvHead }, i) => {
        const made = missing[i];
        if (!made || made.size === 0) return;
        const held = cache.head(layer, kvHead).positions;
        const slots = Int32Array.from(held.keys()).filter((slot) => !made.has(held[slot]!));
        cache.keep(layer, kvHead, slots);
      });
      missing = [];
    },
  };
}

/** The share of the best, ascending: by the mean over all heads of a token's rank in each. */
function bestOf(
  positions: readonly number[],
  scored: readonly LayerScores[],
  share: number,
): Int32Array {
  const rank = new Map<number, number>();
  if (share < 1) {
    for (const scores of scored.flatMap((layer) => layer.scores)) {
      const order = Array.from(scores.keys()).sort((a, b) => scores[a]! - scores[b]!);
      order.forEach((slot, at) => {
        rank.set(slot, (rank.get(slot) ?? 0) + at / order.length);
      });
    }
  }
  const best = positions.toSorted((a, b) => (rank.get(b) ?? 0) - (rank.get(a) ?? 0) || a - b);
  return Int32Array.from(best.slice(0, Math.round(share * positions.length))).sort();
}
