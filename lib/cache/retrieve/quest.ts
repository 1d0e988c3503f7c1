import type { SessionFactory } from '../types';
import { checkCount, checkShare, rowsOfBlocks, tokensIn, topIndices } from './choose';
import { pageBounds, pageScores } from './pages';
import { retrievalSession } from './retrieval-session';

export interface QuestOptions {
  /** Share of the context that a query attends to, in whole pages, at least one. */
  readonly share: number;
  readonly pageTokens?: number;
  readonly offload?: boolean;
}

/** Quest (Tang et al., 2024): pages by the bound of their channel-wise smallest and largest keys. */
export function questSession({
  share,
  pageTokens = 16,
  offload = false,
}: QuestOptions): SessionFactory {
  checkShare(share);
  checkCount('pageTokens', pageTokens);
  return retrievalSession({
    label: `Quest, pages of ${pageTokens}`,
    offload,
    moves: 'keys and values',
    open: (_, contextTokens) => ({
      indexHead({ rows, count, headSize }) {
        const bounds = pageBounds(rows.rotated, count, headSize, pageTokens);
        const budget = pagesFor(share, contextTokens, pageTokens);
        return {
          choose: ({ queries }) =>
            rowsOfBlocks(
              topIndices(pageScores(bounds, queries, headSize), budget),
              pageTokens,
              count,
            ),
          buffers: [
            { role: 'summaries', data: bounds.least },
            { role: 'summaries', data: bounds.most },
          ],
        };
      },
    }),
  });
}

/** Whole pages in a share of the context: never more than it allows but for the one at least. */
export function pagesFor(share: number, contextTokens: number, pageTokens: number): number {
  if (share === 1) return Math.ceil(contextTokens / pageTokens);
  return Math.max(1, Math.floor(tokensIn(share, contextTokens) / pageTokens));
}
