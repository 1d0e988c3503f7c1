import { COST_CHECKS } from './cost-checks';
import type { RowCheck } from './types';

/** Every check, in the order of the list that a page shows. */
export const ROW_CHECKS: readonly RowCheck[] = [...COST_CHECKS];
