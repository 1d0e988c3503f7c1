/** What is done with a load, in this order, and the share of all the work that it ends at: a guess. */
const PHASE_ENDS = {
  reading: 0.6,
  'drawing requests': 0.6,
  statistics: 0.7,
  'comparing blocks': 0.85,
  'comparing tokens': 1,
} as const;
const STARTS = {
  reading: 0,
  'drawing requests': 0,
  statistics: 0.6,
  'comparing blocks': 0.7,
  'comparing tokens': 0.85,
} as const satisfies Record<WorkloadPhase, number>;
export type WorkloadPhase = keyof typeof PHASE_ENDS;

/** How far a long piece of work over a load is. */
export interface WorkloadProgress {
  readonly phase: WorkloadPhase;
  /** Of the phase. */
  readonly fraction: number;
}

/** The share of all the work on a load: it never goes back. */
export function overall({ phase, fraction }: WorkloadProgress): number {
  return STARTS[phase] + (PHASE_ENDS[phase] - STARTS[phase]) * fraction;
}

/** Work that can be stopped between its steps: it yields how far it is. */
export type WorkloadSteps<R> = Generator<WorkloadProgress, R>;

/** Rows between two yields: some milliseconds at most. */
export const ROWS_PER_STEP = 2048;

/** The work at once, for those who need not stop it. */
export function runSteps<R>(steps: WorkloadSteps<R>): R {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
