import { continuum } from './continuum';
import { saga } from './saga';
import type { RowCheck } from './types';

/** Methods about programs of requests and about KV that is used again. */
export const REUSE_CHECKS: readonly RowCheck[] = [continuum, saga];
