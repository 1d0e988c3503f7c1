import type { ComposedStrategy } from '../../spec/kinds/serve-parts';
import type { Workload } from '../../workload/types';
import { isLive } from '../parts/live-queue';
import { asksQuestions } from '../parts/router';

/** Whether a composition or its workload has what only the general engine knows. */
export function needsGeneral(strategy: ComposedStrategy, workload: Workload): boolean {
  const { chunker, partition, preemption, prefixIndex, priority, rejection, router } = strategy;
  return (
    workload.programs !== undefined ||
    prefixIndex.type !== 'none' ||
    rejection.type !== 'none' ||
    priority.type === 'program-fcfs' ||
    chunker.type === 'layer-group' ||
    partition.type !== 'none' ||
    preemption.type === 'pause-at-operator' ||
    isLive(priority) ||
    asksQuestions(router)
  );
}
