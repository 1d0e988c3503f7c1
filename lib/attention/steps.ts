/** Multiplications of a reference in f64 between two yields: a few milliseconds. */
export const STEP_PRODUCTS = 2e6;

/** Runs a generator of shares done to its end, for callers that need not let messages in. */
export function runSteps<T>(steps: Generator<number, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
