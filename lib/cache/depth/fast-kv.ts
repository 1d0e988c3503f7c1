import { ropeOf } from '../../transformer/reference';
import type { Transformer } from '../../transformer/types';
import { tokensIn, topIndices } from '../retrieve/choose';
import { createRowCache, type RowCache } from '../rows/row-cache';
import { openRowSession } from '../rows/row-session';
import { type LayerQueries, poolBeforeWindow, windowAttention } from '../rows/window-attention';
import type { SessionFactory } from '../types';

export interface FastKvOptions {
  /** Share of the tokens that each layer's cache keeps. Script's default 0.1. */
  readonly retainShare?: number;
  /** Share of the tokens that go on behind the pruning layer. Script's default 0.2. */
  readonly propagateShare?: number;
  /** Layer after which tokens are pruned; the one below the middle unless given, as the code's 15 of 32. */
  readonly pruneLayer?: number;
  /** Last queries that score. Code's default 8. */
  readonly windowTokens?: number;
  /** Of the average pooling. Code's default 7. */
  readonly kernel?: number;
}

/**
 * FastKV (Jo et al., 2025): up to the pruning layer every token runs; there the tokens that the last
 * queries attend to most, over all heads, and the window go on, at their own places, and the upper
 * layers never see the others. Every layer then keeps the same number of rows per head by the same
 * score within the head. A question that is known supplies the window; it is run again over what is
 * left, so that no answer comes from attention to the whole context.
 */
export function fastKvSession(options: FastKvOptions = {}): SessionFactory {
  const { retainShare = 0.1, propagateShare = 0.2, windowTokens = 8, kernel = 7 } = options;
  checkShares(retainShare, propagateShare);
  return {
    label: `FastKV, keeps ${Math.round(retainShare * 1000) / 10} %`,
    open(model) {
      const { layers } = model.config;
      const pruneLayer = options.pruneLayer ?? Math.ceil(layers / 2) - 1;
      if (!(Number.isInteger(pruneLayer) && pruneLayer >= 0 && pruneLayer < layers)) {
        throw new RangeError(`invalid pruneLayer: ${pruneLayer} (expected 0..${layers - 1})`);
      }
      const rows = createRowCache(model.config);
      return openRowSession(model, {
        rows,
        encode(context, _, question) {
          encodePruned(model, rows, [...context, ...(question ?? [])], {
            contextTokens: context.length,
            retain: tokensIn(retainShare, context.length),
            propagate: tokensIn(propagateShare, context.length),
            pruneLayer,
            windowTokens,
            kernel,
          });
        },
      });
    },
  };
}

function checkShares(retainShare: number, propagateShare: number): void {
  if (!(retainShare > 0 && retainShare <= 1)) {
    throw new RangeError(`invalid retainShare: ${retainShare} (expected above 0, up to 1)`);
  }
  if (!(propagateShare >= retainShare && propagateShare <= 1)) {
    throw new RangeError(
      `invalid propagateShare: ${propagateShare} (expected ${retainShare}..1: what is not computed cannot be kept)`,
    );
  }
}

interface PruneRule {
  readonly contextTokens: number;
  /** Context rows that each head keeps, and that go on behind the pruning layer. */
  readonly retain: number;
  readonly propagate: number;
  readonly pruneLayer: number;
  readonly windowTokens: number;
  readonly kernel: number;
}

function encodePruned(
  model: Transformer,
  cache: RowCache,
  text: readonly number[],
  rule: PruneRule,
): void {
  const { layers, kvHeads, heads, headSize } = model.config;
  const rope = ropeOf(model.config);
  const { contextTokens } = rule;
  const question = text.length - contextTokens;
  // A window wider than what is kept could not be kept.
  const window = Math.min(rule.windowTokens, text.length, rule.retain + question);
  const windows: LayerQueries[] = [];
  const scoresOf = (layer: number, kvHead: number) =>
    poolBeforeWindow(
      windowAttention(model.config, rope, windows[layer]!, kvHead, cache.head(layer, kvHead)),
      window,
      rule.kernel,
    );
  /** The best rows by score, those of the window and the question first. */
  const best = (scores: Float64Array, positions: Int32Array, count: number): Int32Array => {
    const forced = scores.map((score, row) =>
      row >= scores.length - window || positions[row]! >= contextTokens ? Infinity : score,
    );
    return topIndices(forced, count);
  };

  model.forward({
    tokens: text,
    positions: text.map((_, i) => i),
    cache,
    logits: 'none',
    hooks: {
      onProjected(layer, { rows, queries, positions }) {
        const from = Math.max(0, rows - window);
        windows[layer] = {
          rows: rows - from,
          queries: queries.slice(from * heads * headSize),
          positions: positions.slice(from),
        };
      },
      onLayerEnd(layer) {
        if (layer !== rule.pruneLayer) return undefined;
        const held = cache.head(layer, 0);
        const total = new Float64Array(held.count);
        for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
          scoresOf(layer, kvHead).forEach((score, row) => {
            total[row] = total[row]! + score;
          });
        }
        return best(total, held.positions, rule.propagate + question);
      },
    },
  });
  for (let layer = 0; layer < layers; layer++) {
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const held = cache.head(layer, kvHead);
      const rows = best(scoresOf(layer, kvHead), held.positions, rule.retain + question);
      const kept = new Set(rows);
      held.keep((position, row) => position < contextTokens && kept.has(row));
    }
  }
}
