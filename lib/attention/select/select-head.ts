import {
  type AttentionSelection,
  SELECTION_KEYS,
  SELECTION_QUERIES,
  type SelectionMethod,
} from '../../spec/kinds/selection';
import type { RowProducts } from '../weights/types';
import { selectAShape } from './a-shape';
import { selectBlockSparse } from './block-sparse';
import { selectByChoice } from './choice';
import { selectFlexPrefill } from './flexprefill';
import { selectHip } from './hip';
import { selectMoba } from './moba';
import { selectNsa } from './nsa';
import { selectOracle } from './oracle';
import { selectOrdered } from './ordered';
import { searchPattern } from './pattern-search';
import { selectPbs } from './pbs';
import { selectLserve, selectQuest } from './quest';
import { selectSale } from './sale';
import type { HeadTensors, Selection } from './types';
import { selectLineCover, selectVerticalSlash } from './vertical-slash';
import { selectXAttention } from './xattention';

/** Rows that the pattern search compares with dense attention: one in so many. */
export const SEARCH_ROW_STRIDE = 16;

/**
 * What the selection of a document keeps of one head; undefined where nothing is selected.
 *
 * @param createProducts products of matrices, for methods that are made of them
 */
export function selectHead(
  head: HeadTensors,
  selection: AttentionSelection,
  createProducts?: () => RowProducts,
): Selection | undefined {
  if (selection.type === 'none') return undefined;
  const select = (method: SelectionMethod) => selectBy(head, method, createProducts);
  return selection.type === 'choice' ? selectByChoice(head, selection, select) : select(selection);
}

function selectBy(
  head: HeadTensors,
  method: SelectionMethod,
  createProducts: (() => RowProducts) | undefined,
): Selection {
  const blockQueries = SELECTION_QUERIES;
  const blocks = { blockQueries, blockKeys: SELECTION_KEYS };
  switch (method.type) {
    case 'a-shape':
      return selectAShape(head, { ...blocks, ...method });
    case 'vertical-slash':
      return selectVerticalSlash(head, { ...blocks, ...method });
    case 'line-cover':
      return selectLineCover(head, { ...blocks, ...method });
    case 'block-sparse':
      return selectBlockSparse(head, {
        blockQueries: method.blockTokens,
        blockKeys: method.blockTokens,
        topBlocks: method.topBlocks,
      });
    case 'pattern-search': {
      const { sinkTokens, windowTokens, columns, diagonals, topBlocks, ...lines } = method;
      return searchPattern(head, {
        ...blocks,
        ...lines,
        rowStride: SEARCH_ROW_STRIDE,
        candidates: [
          { type: 'a-shape', sinkTokens, windowTokens },
          { type: 'vertical-slash', columns, diagonals },
          { type: 'block', topBlocks },
        ],
      }).best;
    }
    case 'flexprefill':
      return selectFlexPrefill(head, { ...method, lineUnit: 'token' });
    case 'sale':
      return selectSale(head, { ...blocks, ...method });
    case 'pbs':
      return selectPbs(head, method);
    case 'hip':
      return selectHip(head, { ...method, blockQueries });
    case 'quest':
      return selectQuest(head, { ...method, blockQueries });
    case 'lserve':
      return selectLserve(head, { ...method, blockQueries });
    case 'xattention':
      return selectXAttention(head, method, createProducts);
    case 'moba':
      return selectMoba(head, { ...method, blockQueries });
    case 'nsa':
      return selectNsa(head, { ...method, blockQueries });
    case 'composed':
      return selectOrdered(head, method, createProducts);
    case 'oracle-top-k':
      return selectOracle(head, { ...blocks, budget: { type: 'top-k', blocks: method.blocks } });
    case 'oracle-top-p':
      return selectOracle(head, { ...blocks, budget: { type: 'top-p', share: method.share } });
  }
}
