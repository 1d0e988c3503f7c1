import { ropeOf } from '../../transformer/reference';
import type { TransformerConfig } from '../../transformer/types';
import { type LayerQueries, windowAttention } from '../rows/window-attention';
import type { SessionFactory } from '../types';
import { checkCount, checkShare, everyPositions, rowsOfBlocks, topIndices } from './choose';
import { pageBounds, pageScores } from './pages';
import { pagesFor } from './quest';
import { retrievalSession } from './retrieval-session';
import type { ContextHead, PhasedQuery } from './types';

export interface LServeOptions {
  /** Share of the context that retrieval heads attend to, in whole pages. */
  readonly share: number;
  /** Tokens of a page; the code's 64. */
  readonly pageTokens?: number;
  /** Tokens of a logical page, which has bounds of its own; the code's 16. */
  readonly logicalTokens?: number;
  /** Choices are made anew at every such position. Code's default 4. */
  readonly interval?: number;
  /** Share of the heads that are streaming. Code's default 0.5. */
  readonly streamingShare?: number;
  /** Code's decode defaults 128 and 256, of contexts of 64k and more. */
  readonly sinkTokens?: number;
  readonly recentTokens?: number;
  /** How much each head retrieves, [layers][kvHeads]; measured on the context's last queries unless given. */
  readonly gates?: readonly (readonly number[])[];
}

/** Queries whose attention tells streaming heads from the others. */
const PROBE_ROWS = 8;

/**
 * LServe (Yang et al., 2025): the heads that retrieve least keep sink and recent tokens only; the
 * others choose pages by the largest bound of their logical pages. The paper's gates are trained
 * (DuoAttention); without gates a head is ranked by the attention of the context's last queries
 * outside its sink and recent tokens, which is ours. Keys and values stay in f16 here.
 */
export function lserveSession(options: LServeOptions): SessionFactory {
  const { share, pageTokens = 64, logicalTokens = 16, interval = 4 } = options;
  const { streamingShare = 0.5, sinkTokens = 128, recentTokens = 256, gates } = options;
  checkShare(share);
  checkCount('pageTokens', pageTokens);
  checkCount('logicalTokens', logicalTokens);
  checkCount('interval', interval);
  if (pageTokens % logicalTokens !== 0) {
    throw new RangeError(
      `invalid logicalTokens: ${logicalTokens} (expected a divisor of ${pageTokens})`,
    );
  }
  return retrievalSession({
    label: `LServe, pages of ${pageTokens} in ${logicalTokens}s, every ${interval} tokens`,
    offload: false,
    moves: 'keys and values',
    open(model, contextTokens) {
      const kept = streamingRows(contextTokens, sinkTokens, recentTokens);
      let streaming: ReadonlySet<string> | undefined;
      return {
        windowRows: PROBE_ROWS,
        indexHead(head, window) {
          streaming ??= streamingHeads(
            gates ?? outsideShares(model.config, head.all, window, kept),
            streamingShare,
          );
          if (streaming.has(`${head.layer},${head.kvHead}`)) {
            const held = new Set(kept);
            const unreachable = Array.from({ length: head.count }, (_, row) => row);
            return {
              choose: () => kept,
              unreachable: Int32Array.from(unreachable.filter((row) => !held.has(row))),
              buffers: [],
            };
          }
          const { rows, count, headSize } = head;
          const bounds = pageBounds(rows.rotated, count, headSize, logicalTokens);
          const budget = pagesFor(share, contextTokens, pageTokens);
          const stepped = everyPositions(interval, ({ queries }: PhasedQuery) => {
            const logical = pageScores(bounds, queries, headSize);
            const scores = largestOfRuns(logical, pageTokens / logicalTokens);
            return rowsOfBlocks(topIndices(scores, budget), pageTokens, count);
          });
          return {
            ...stepped,
            buffers: [
              { role: 'summaries', data: bounds.least },
              { role: 'summaries', data: bounds.most },
            ],
          };
        },
      };
    },
  });
}

/** The largest of every run of `length` scores; the last run may be short. */
export function largestOfRuns(scores: Float64Array, length: number): Float64Array {
  const out = new Float64Array(Math.ceil(scores.length / length)).fill(-Infinity);
  scores.forEach((score, i) => {
    const run = Math.floor(i / length);
    out[run] = Math.max(out[run]!, score);
  });
  return out;
}

function streamingRows(count: number, sinks: number, recent: number): Int32Array {
  const all = Array.from({ length: count }, (_, row) => row);
  return Int32Array.from(all.filter((row) => row < sinks || row >= count - recent));
}

/** The heads with the lowest gates, as "layer,kvHead": floor of the share of all. */
export function streamingHeads(
  gates: readonly (readonly number[])[],
  share: number,
): ReadonlySet<string> {
  const all = gates.flatMap((heads, layer) =>
    heads.map((gate, kvHead) => ({ gate, name: `${layer},${kvHead}` })),
  );
  const count = Math.floor(all.length * share);
  return new Set(
    all
      .sort((a, b) => a.gate - b.gate)
      .slice(0, count)
      .map(({ name }) => name),
  );
}

function outsideShares(
  config: TransformerConfig,
  heads: readonly (readonly ContextHead['rows'][])[],
  window: readonly LayerQueries[],
  kept: Int32Array,
): number[][] {
  const rope = ropeOf(config);
  return heads.map((layer, l) =>
    layer.map((held, kvHead) => {
      const scores = windowAttention(config, rope, window[l]!, kvHead, held);
      const total = scores.reduce((sum, score) => sum + score, 0);
      const inside = kept.reduce((sum, row) => sum + scores[row]!, 0);
      return total === 0 ? 0 : 1 - inside / total;
    }),
  );
}
