import { layeredPrefill } from './layered-prefill';
import { nexus } from './nexus';
import { semiPdCheck } from './semi-pd';
import type { RowCheck } from './types';

/** Checks of methods that change what one accelerator does in an iteration. */
export const SHARE_CHECKS: readonly RowCheck[] = [layeredPrefill, semiPdCheck, nexus];
