import { batchllm } from './batchllm';
import { cacheblend } from './cacheblend';
import { cachegen } from './cachegen';
import { categoryAwareSemanticCache } from './category-aware-semantic-cache';
import { COST_CHECKS } from './cost-checks';
import { flowprefill } from './flowprefill';
import { pdServe } from './pd-serve';
import { stream2llm } from './stream2llm';
import type { RowCheck } from './types';

/** Every check, in the order of the list that a page shows. */
export const ROW_CHECKS: readonly RowCheck[] = [
  flowprefill,
  stream2llm,
  pdServe,
  batchllm,
  cachegen,
  cacheblend,
  categoryAwareSemanticCache,
  ...COST_CHECKS,
];
