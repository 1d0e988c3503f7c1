import { atts } from './atts';
import { comet } from './comet';
import { dfloat11 } from './dfloat11';
import { energonai } from './energonai';
import { fastdraft } from './fastdraft';
import { finequant } from './finequant';
import { llmInAFlash } from './llm-in-a-flash';
import { lserve } from './lserve';
import { mirrorSd } from './mirror-sd';
import { mllmNpu } from './mllm-npu';
import { nanoflow } from './nanoflow';
import { prepacking } from './prepacking';
import { sarathi } from './sarathi';
import { swiftkv } from './swiftkv';
import { tokenweave } from './tokenweave';
import type { RowCheck } from './types';

/** Checks that need the cost of iterations alone, or lanes, and no engine of their own. */
export const COST_CHECKS: readonly RowCheck[] = [
  sarathi,
  nanoflow,
  tokenweave,
  swiftkv,
  dfloat11,
  lserve,
  mllmNpu,
  mirrorSd,
  fastdraft,
  atts,
  prepacking,
  finequant,
  comet,
  llmInAFlash,
  energonai,
];
