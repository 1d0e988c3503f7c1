import type { HardwareId } from '../../spec/presets';
import { HARDWARE } from '../presets/hardware';

/** What an energy model may know of a run. */
export interface EnergyInput {
  readonly hardware: HardwareId;
  readonly accelerators: number;
  /** Accelerators at work on average, over the run. */
  readonly busyAccelerators: number;
  /** Power of one that waits, over the limit. */
  readonly idlePowerShare: number;
}

/**
 * Watts of all accelerators: each at its limit while it works and at a share of it while it waits.
 * It knows nothing of what the work is, so a decode at little arithmetic counts like a prefill.
 */
export function averageWatts(input: EnergyInput): number {
  const watts = HARDWARE[input.hardware].boardWatts;
  const idle = watts * input.idlePowerShare;
  return input.accelerators * idle + input.busyAccelerators * (watts - idle);
}
