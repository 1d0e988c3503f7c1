import { type Burstiness, burstiness } from './burstiness';
import { type Distribution, distribution } from './distribution';
import { type PrefixSharing, prefixSharing } from './prefix-sharing';
import { type ProgramFigures, programFigures } from './program-figures';
import { programStarts } from './program-starts';
import type { Workload } from './types';

/** What a reader wants to know of a workload before serving it. */
export interface WorkloadStatistics {
  readonly promptTokens: Distribution;
  readonly outputTokens: Distribution;
  readonly arrivals: Burstiness;
  /** Absent where the tokens of the requests are unknown. */
  readonly sharing?: PrefixSharing;
  /** Absent where every request comes on its own. */
  readonly programs?: ProgramFigures;
}

/** All figures of a workload, in one pass over each of its columns. */
export function workloadStatistics(workload: Workload): WorkloadStatistics {
  const sharing = prefixSharing(workload);
  const programs = programFigures(workload);
  return {
    promptTokens: distribution(workload.promptTokens),
    outputTokens: distribution(workload.outputTokens),
    arrivals: burstiness(programStarts(workload)),
    ...(sharing !== undefined && { sharing }),
    ...(programs !== undefined && { programs }),
  };
}
