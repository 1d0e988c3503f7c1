import { apex } from './apex';
import { deepspeedFastgen } from './deepspeed-fastgen';
import { distserve } from './distserve';
import { megatronLm } from './megatron-lm';
import { pdServe } from './pd-serve';
import { sarathiServe } from './sarathi-serve';
import type { RowCheck } from './types';

/** Every check, in the order of the list that a page shows. */
export const ROW_CHECKS: readonly RowCheck[] = [
  sarathiServe,
  deepspeedFastgen,
  distserve,
  pdServe,
  apex,
  megatronLm,
];
