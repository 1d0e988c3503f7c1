import type { HardwareId } from '../../spec/presets';

/** Power limits of the makers' data sheets: total board or module power, watts. */
export const POWER_LIMITS: Readonly<
  Record<HardwareId, { readonly watts: number; readonly source: string }>
> = {
  'a100-80g': { watts: 400, source: 'NVIDIA A100 80GB SXM data sheet: 400 W' },
  h100: { watts: 700, source: 'NVIDIA H100 SXM data sheet: up to 700 W' },
  l40s: { watts: 350, source: 'NVIDIA L40S data sheet: 350 W' },
  'rtx-4090': { watts: 450, source: 'NVIDIA RTX 4090 specification: 450 W' },
  'rtx-pro-6000': {
    watts: 600,
    source: 'NVIDIA RTX PRO 6000 Blackwell Server Edition data sheet: up to 600 W',
  },
};

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
  const { watts } = POWER_LIMITS[input.hardware];
  const idle = watts * input.idlePowerShare;
  return input.accelerators * idle + input.busyAccelerators * (watts - idle);
}
