import { type Burstiness, burstiness } from './burstiness';
import { type Distribution, distribution } from './distribution';
import { type PrefixSharing, prefixSharingSteps } from './prefix-sharing';
import { type ProgramFigures, programFigures } from './program-figures';
import { programStarts } from './program-starts';
import { runSteps, type WorkloadSteps } from './steps';
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
  return runSteps(statisticsSteps(workload));
}

/** The same in steps. */
export function* statisticsSteps(workload: Workload): WorkloadSteps<WorkloadStatistics> {
  const phase = 'statistics' as const;
  yield { phase, fraction: 0 };
  const promptTokens = distribution(workload.promptTokens);
  yield { phase, fraction: 1 / 4 };
  const outputTokens = distribution(workload.outputTokens);
  yield { phase, fraction: 2 / 4 };
  const arrivals = burstiness(programStarts(workload));
  yield { phase, fraction: 3 / 4 };
  const programs = programFigures(workload);
  const sharing = yield* prefixSharingSteps(workload);
  return {
    promptTokens,
    outputTokens,
    arrivals,
    ...(sharing !== undefined && { sharing }),
    ...(programs !== undefined && { programs }),
  };
}
