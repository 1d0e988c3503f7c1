import type { HardwareId } from '../../spec/presets';
import { HARDWARE } from '../presets/hardware';

/** What an energy model may know of a run. */
export interface EnergyInput {
  readonly hardware: HardwareId;
  readonly accelerators: number;
  /** How many accelerators at full power the work amounts to on average: those of a stalled iteration less than one. */
  readonly workAccelerators: number;
  /** Power of one that waits, over the limit. */
  readonly idlePowerShare: number;
}

/**
 * Watts of all accelerators: each a share of its limit all the time, and the rest by the arithmetic
 * and the memory traffic of its iterations, as `energyMetrics` has it.
 */
export function averageWatts(input: EnergyInput): number {
  const watts = HARDWARE[input.hardware].boardWatts;
  const idle = watts * input.idlePowerShare;
  return input.accelerators * idle + input.workAccelerators * (watts - idle);
}
