import { type ComposedSelection, partsIssues } from '../../spec/kinds/selection-parts';
import type { RowProducts } from '../weights/types';
import { checkHead } from './checks';
import { selectAboveForced } from './composed-above-forced';
import { selectBlocks } from './composed-blocks';
import { selectForced } from './composed-forced';
import { selectComposedLines } from './composed-lines';
import { selectTree } from './composed-tree';
import { makeGrid } from './grid';
import type { HeadTensors, Selection } from './types';

/**
 * A selection from its parts: summariser, scorer, reducer, selector, beside what is forced.
 *
 * @param createProducts products of matrices, for the antidiagonals of large heads
 * @throws RangeError where the parts do not go together, see `partsIssues`
 */
export function selectComposed(
  head: HeadTensors,
  parts: ComposedSelection,
  createProducts?: () => RowProducts,
): Selection {
  checkHead(head);
  const [issue] = partsIssues(parts);
  if (issue !== undefined) {
    throw new RangeError(`invalid ${issue.path.join('.')} (${issue.message})`);
  }
  const { selector } = parts;
  const grid = makeGrid(head, parts.queryBlockTokens, parts.blockTokens);
  switch (selector.type) {
    case 'none':
      return selectForced(grid, parts.forced, selector.unit);
    case 'line-top-k':
    case 'line-top-p':
    case 'line-cover':
      return selectComposedLines(head, grid, parts, selector);
    case 'tree':
      return selectTree(head, grid, parts, selector);
    case 'threshold':
      if (selector.of === 'forced') return selectAboveForced(head, grid, parts, selector.share);
      return selectBlocks(head, grid, parts, selector, createProducts);
    default:
      return selectBlocks(head, grid, parts, selector, createProducts);
  }
}
