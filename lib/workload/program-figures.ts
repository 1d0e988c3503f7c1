import { type Distribution, distribution } from './distribution';
import type { Workload } from './types';

/** What the programs of a workload are like. */
export interface ProgramFigures {
  readonly count: number;
  readonly requestsPerProgram: Distribution;
  /** Most requests of a program of which each comes of the one before. */
  readonly depth: Distribution;
  /** Seconds between the end of a request and the sending of what comes of it; NaN for none. */
  readonly gapSeconds: Distribution;
}

/** Undefined where every request comes on its own. */
export function programFigures({ programs }: Workload): ProgramFigures | undefined {
  if (programs === undefined) return undefined;
  const { programIds, offsets, predecessors, gapSeconds } = programs;
  const requests = new Map<number, number>();
  const depths = new Map<number, number>();
  const depthOf = new Int32Array(programIds.length);
  for (let i = 0; i < programIds.length; i++) {
    const id = programIds[i] as number;
    let before = 0;
    for (let at = offsets[i] as number; at < (offsets[i + 1] as number); at++)
      before = Math.max(before, depthOf[predecessors[at] as number] as number);
    depthOf[i] = before + 1;
    requests.set(id, (requests.get(id) ?? 0) + 1);
    depths.set(id, Math.max(depths.get(id) ?? 0, before + 1));
  }
  return {
    count: requests.size,
    requestsPerProgram: distribution([...requests.values()]),
    depth: distribution([...depths.values()]),
    gapSeconds: distribution(gapSeconds.filter((_, i) => offsets[i + 1] !== offsets[i])),
  };
}
