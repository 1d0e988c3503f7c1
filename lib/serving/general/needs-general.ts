import type { ComposedStrategy } from '../../spec/kinds/serve-parts';
import type { Workload } from '../../workload/types';

/** Whether a composition or its workload has what only the general engine knows. */
export function needsGeneral(strategy: ComposedStrategy, workload: Workload): boolean {
  return workload.programs !== undefined || strategy.prefixIndex.type !== 'none';
}
