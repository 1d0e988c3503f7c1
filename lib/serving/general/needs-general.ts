import type { ComposedStrategy } from '../../spec/kinds/serve-parts';
import type { Workload } from '../../workload/types';
import { isLive } from '../parts/live-queue';
import { asksQuestions } from '../parts/router';

type Swap = Extract<ComposedStrategy['preemption'], { type: 'swap' }>;

/** Whether KV is swapped otherwise than in vLLM V0. */
const swapsByMore = (part: Swap): boolean =>
  part.forPriority ||
  part.callMicroseconds > 0 ||
  part.overlap !== 'none' ||
  part.keepsCopy ||
  part.betweenTurns !== 'drop' ||
  part.hostGigabytes > 0;

/** Whether a composition or its workload has what only the general engine knows. */
export function needsGeneral(strategy: ComposedStrategy, workload: Workload): boolean {
  const {
    batchFormer,
    chunker,
    encode,
    partition,
    preemption,
    prefixIndex,
    priority,
    rejection,
    router,
  } = strategy;
  return (
    workload.programs !== undefined ||
    (workload.items !== undefined && encode.type !== 'none') ||
    prefixIndex.type !== 'none' ||
    priority.type === 'program-fcfs' ||
    chunker.type === 'layer-group' ||
    partition.type !== 'none' ||
    preemption.type === 'pause-at-operator' ||
    (preemption.type === 'swap' && swapsByMore(preemption)) ||
    batchFormer.type === 'length-window' ||
    rejection.type !== 'none' ||
    isLive(priority) ||
    asksQuestions(router)
  );
}
