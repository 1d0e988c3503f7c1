import { apex } from './apex';
import { BASELINE_CHECKS } from './baseline-checks';
import { batchllm } from './batchllm';
import { cacheblend } from './cacheblend';
import { cachegen } from './cachegen';
import { categoryAwareSemanticCache } from './category-aware-semantic-cache';
import { COST_CHECKS } from './cost-checks';
import { deepspeedFastgen } from './deepspeed-fastgen';
import { distserve } from './distserve';
import { flowprefill } from './flowprefill';
import { megatronLm } from './megatron-lm';
import { pdServe } from './pd-serve';
import { REUSE_CHECKS } from './reuse-checks';
import { sarathiServe } from './sarathi-serve';
import { SHARE_CHECKS } from './share-checks';
import { stream2llm } from './stream2llm';
import type { RowCheck } from './types';

/** Every check, in the order of the list that a page shows. */
export const ROW_CHECKS: readonly RowCheck[] = [
  sarathiServe,
  deepspeedFastgen,
  flowprefill,
  stream2llm,
  distserve,
  pdServe,
  apex,
  megatronLm,
  batchllm,
  cachegen,
  cacheblend,
  categoryAwareSemanticCache,
  ...REUSE_CHECKS,
  ...COST_CHECKS,
  ...SHARE_CHECKS,
  ...BASELINE_CHECKS,
];
