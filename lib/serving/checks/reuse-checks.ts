import { cacheCraft } from './cache-craft';
import { continuum } from './continuum';
import { epd } from './epd';
import { fastswitch } from './fastswitch';
import { jitserve } from './jitserve';
import { kvcomm } from './kvcomm';
import { kvshare } from './kvshare';
import { lmcache } from './lmcache';
import { saga } from './saga';
import type { RowCheck } from './types';

/** Methods about programs of requests and about KV that is used again. */
export const REUSE_CHECKS: readonly RowCheck[] = [
  continuum,
  saga,
  lmcache,
  cacheCraft,
  jitserve,
  fastswitch,
  epd,
  kvshare,
  kvcomm,
];
