import '../zod-config';
import * as z from 'zod';

const count = (low: number, high: number, fallback: number) =>
  z.int().min(low).max(high).default(fallback);

/** How to spread the model and the load of a serve cell over a number of accelerators. */
export const planParams = z.strictObject({
  accelerators: count(1, 64, 8),
  /** Replicas that do both phases, a prefill and a decode pool, or either. */
  arrangements: z.enum(['both', 'colocated', 'pools']).default('both'),
  /** Largest degrees; powers of two up to them are tried. Tensor parallel stays within a machine. */
  maxTensorParallel: count(1, 16, 8),
  maxPipelineParallel: count(1, 16, 4),
  /** The KV link between pools, per decode replica. */
  linkGigabytesPerSecond: z.number().min(0.001).max(10_000).default(25),
  linkLatencyMicroseconds: z.number().min(0).max(1e6).default(10),
  /**
   * Seconds of arrivals that a run lasts: of one replica of each shape and phase, once, and of the
   * best plans in full. A generator draws as many requests as that takes, a trace has what it has.
   */
  screenSeconds: count(1, 3600, 15),
  runSeconds: count(1, 3600, 30),
  /** Plans with the best estimates that are simulated in full. */
  refine: count(1, 64, 8),
  /** Runs of each rate of a plan in full. */
  seeds: count(1, 20, 3),
  /** The highest rate is found down to so much of it. */
  tolerance: z.number().min(0.005).max(0.5).default(0.05),
  /** In any currency. */
  pricePerAcceleratorHour: z.number().min(0).max(1000).default(2),
  /** Power of an accelerator that waits, over its limit: an assumption, no data sheet has it. */
  idlePowerShare: z.number().min(0).max(1).default(0.2),
  /** What the chosen plan is best at. */
  choose: z.enum(['goodput', 'cost', 'energy']).default('goodput'),
});
export type PlanParams = z.output<typeof planParams>;
