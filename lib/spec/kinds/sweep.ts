import '../zod-config';
import * as z from 'zod';

/** A serve cell again and again, under its own load at other rates. */
export const sweepParams = z.strictObject({
  /** First and last rate in requests per second; 0 for a tenth of the load's own rate, and twice it. */
  leastRatePerSecond: z.number().min(0).max(10_000).default(0),
  mostRatePerSecond: z.number().min(0).max(10_000).default(0),
  /** Rates, evenly spaced. */
  points: z.int().min(2).max(100).default(20),
  /** Runs of each rate: the band is from the least to the most of them. */
  seeds: z.int().min(1).max(20).default(5),
  /** Search the highest rate that holds the SLO by bisection, down to `tolerance` of it. */
  findMaximum: z.boolean().default(true),
  tolerance: z.number().min(0.005).max(0.5).default(0.02),
});
export type SweepParams = z.output<typeof sweepParams>;
