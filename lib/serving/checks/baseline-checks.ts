import { flover } from './flover';
import { scbench } from './scbench';
import { splitwise } from './splitwise';
import type { RowCheck } from './types';

/** Methods that are compositions of what was there, and a workload that others are measured by. */
export const BASELINE_CHECKS: readonly RowCheck[] = [splitwise, flover, scbench];
