import type { TimelineLane } from '../types';
import type { Instance } from './instance';
import { takeRunLane } from './run-log';

/** What a lane of either engine is, to be shown. */
type Shown = Pick<Instance, 'log' | 'blocksTotal' | 'role' | 'pipeline'>;

/** The lanes of a role. Micro-batches of one pipeline follow each other and are named by their replica. */
export function takeRunLanes(
  instances: readonly Shown[],
  id: string,
  name: string,
): TimelineLane[] {
  const pipelines = [...new Set(instances.map(({ pipeline }) => pipeline))];
  const perReplica = pipelines[0] === undefined ? 1 : instances.length / pipelines.length;
  return instances.map(({ log, blocksTotal, role }, i) => {
    const place = `${name} ${Math.floor(i / perReplica)}`;
    const label = perReplica === 1 ? place : `${place}, micro-batch ${i % perReplica}`;
    return takeRunLane(log, `${id}-${i}`, label, role, blocksTotal);
  });
}
