import '../zod-config';
import * as z from 'zod';
import type { ComposedSelection } from './selection-parts';
import type { PartsIssue } from './selection-parts-issues';

/** Keys sorted inside segments of a composed selection, by the attention of the last queries. */
export const selectionOrder = z.strictObject({
  /** Keys that change places with each other; the last, incomplete segment stays as it is. */
  segmentTokens: z.int().min(8).max(4096).multipleOf(8).default(128),
  /** Last queries whose mean attention sorts the keys. */
  windowQueries: z.int().min(1).max(16_384).default(32),
});
export type SelectionOrder = z.output<typeof selectionOrder>;

/** Selectors of whole blocks, which need not know which keys a block holds. */
const OF_BLOCKS: ReadonlySet<string> = new Set(['top-k', 'top-p', 'threshold']);

/** Why the other parts do not go with an order of keys, each at the field to change. */
export function orderIssues({
  order,
  selector,
  blockTokens,
}: Pick<ComposedSelection, 'order' | 'blockTokens'> & {
  readonly selector: { readonly type: string; readonly of?: string };
}): readonly PartsIssue[] {
  if (order === undefined) return [];
  const issues: PartsIssue[] = [];
  if (order.segmentTokens % blockTokens !== 0) {
    issues.push({
      path: ['order', 'segmentTokens'],
      message: `expected a multiple of blockTokens ${blockTokens}, so that a block lies in one segment`,
    });
  }
  if (!OF_BLOCKS.has(selector.type)) {
    issues.push({
      path: ['selector', 'type'],
      message:
        'expected selector top-k, top-p or threshold, or no order: sorted keys have neither distances nor neighbours',
    });
  }
  if (selector.of === 'forced') {
    issues.push({
      path: ['selector', 'of'],
      message: 'expected maximum or mass, or no order: beside it, forced keys are kept unscored',
    });
  }
  return issues;
}
