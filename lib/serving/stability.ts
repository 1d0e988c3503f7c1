/** Waiting requests below this are noise, whatever their trend. */
const LEAST_BACKLOG = 8;
const GROWTH = 2;

/**
 * Whether the queue grows without bound: the mean backlog seen by arrivals in the last quarter of
 * the arrivals is above twice that of the second quarter, and above a floor. In a stable queue both
 * estimate the same stationary mean; under overload the backlog grows linearly, and the ratio tends
 * to (7/8) / (3/8) = 2.33.
 *
 * @param backlog waiting requests seen by each arrival, in order
 * @returns a sentence, or undefined for a stable run
 */
export function describeInstability(backlog: Int32Array, arrived: number): string | undefined {
  if (arrived < 40) return undefined;
  const mean = (from: number, to: number): number => {
    const part = backlog.subarray(Math.floor(from * arrived), Math.floor(to * arrived));
    return part.reduce((a, b) => a + b, 0) / Math.max(1, part.length);
  };
  const early = mean(0.25, 0.5);
  const late = mean(0.75, 1);
  if (late < Math.max(LEAST_BACKLOG, 0.01 * arrived) || late < GROWTH * early) return undefined;
  return `the queue grows without bound: ${early.toFixed(1)} requests wait on average in the second quarter of the arrivals, ${late.toFixed(1)} in the last`;
}
