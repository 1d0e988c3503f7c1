import { checkDivides, checkHead, checkInteger } from './checks';
import { collectBlocks, makeGrid, makeSelection } from './grid';
import { blockUpperBounds } from './page-scores';
import { addRecent, addSinks, addTopK } from './selectors';
import { pageBounds } from './summaries';
import type { HeadTensors, Selection } from './types';

interface PageBudget {
  /** Queries that share one choice; 1 in decoding. */
  readonly blockQueries: number;
  /** Pages of the first keys, kept within the budget; 0 for none. */
  readonly sinkTokens: number;
  /** Pages of the last keys, kept within the budget; 0 for none. */
  readonly recentTokens: number;
}

export interface QuestOptions extends PageBudget {
  readonly pageTokens: number;
  /** Tokens kept per query block, in whole pages, at least one. */
  readonly budgetTokens: number;
}

export interface LserveOptions extends PageBudget {
  /** Physical page, the unit that is kept. Default 64. */
  readonly pageTokens?: number;
  /** Logical page, the unit with bounds of its own, a divisor of pageTokens. Default 16. */
  readonly subPageTokens?: number;
  /** Tokens kept per query block however long the context, in whole pages. Default 4096. */
  readonly budgetTokens?: number;
}

/**
 * Quest (2024): pages ranked by an upper bound on q.k from their channel-wise key bounds, a constant
 * token budget per query block.
 */
export function selectQuest(head: HeadTensors, options: QuestOptions): Selection {
  return selectPages(head, { ...options, subPageTokens: options.pageTokens }, 'pages');
}

/**
 * LServe's page selection (2025): Quest's bound on logical pages, the largest of a physical page
 * counts, because wide pages have loose bounds. Streaming heads and the reuse of a choice over
 * several decode steps are the caller's.
 */
export function selectLserve(head: HeadTensors, options: LserveOptions): Selection {
  const { pageTokens = 64, subPageTokens = 16, budgetTokens = 4096 } = options;
  return selectPages(
    head,
    { ...options, pageTokens, subPageTokens, budgetTokens },
    'logical-pages',
  );
}

function selectPages(
  head: HeadTensors,
  options: QuestOptions & { readonly subPageTokens: number },
  pattern: string,
): Selection {
  const { pageTokens, subPageTokens, budgetTokens } = options;
  checkHead(head);
  checkInteger('pageTokens', pageTokens, 1, 65_536);
  checkInteger('subPageTokens', subPageTokens, 1, pageTokens);
  checkDivides('subPageTokens', subPageTokens, 'pageTokens', pageTokens);
  checkInteger('budgetTokens', budgetTokens, 1, 2 ** 24);
  checkInteger('sinkTokens', options.sinkTokens, 0, 2 ** 24);
  checkInteger('recentTokens', options.recentTokens, 0, 2 ** 24);
  const grid = makeGrid(head, options.blockQueries, pageTokens);
  const bounds = pageBounds(head.key, head.keys, head.headSize, subPageTokens);
  const pages = Math.max(1, Math.floor(budgetTokens / pageTokens));
  const scores = new Float64Array(grid.keyBlocks);
  let selectionFlops = 0;
  const rows = collectBlocks(grid, (i, keep) => {
    selectionFlops += blockUpperBounds(head, grid, bounds, subPageTokens, i, scores);
    addSinks(grid, keep, options.sinkTokens);
    addRecent(grid, keep, i, options.recentTokens);
    addTopK(keep, scores, grid.keyBlocks, pages);
  });
  return makeSelection(grid, rows, { pattern, selectionFlops });
}
