import { batchllm } from './batchllm';
import { cacheblend } from './cacheblend';
import { categoryAwareSemanticCache } from './category-aware-semantic-cache';
import { flowprefill } from './flowprefill';
import type { RowCheck } from './types';

/** Every check, in the order of the list that a page shows. */
export const ROW_CHECKS: readonly RowCheck[] = [
  flowprefill,
  batchllm,
  cacheblend,
  categoryAwareSemanticCache,
];
