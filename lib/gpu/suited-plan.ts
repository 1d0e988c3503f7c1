import type { ChosenPlan } from './choose-plan';
import { type GpuDevice, isDeviceLoss } from './device';
import type { ResidentAttention } from './resident';

export interface SuitedPlan extends Pick<ChosenPlan, 'plan' | 'gigaflopsPerSecond' | 'choice'> {
  /** Why it is not the chosen plan. */
  readonly notes: readonly string[];
}

/** The chosen plan, or the fastest over buffers where keys and values find no room as textures. */
export async function suitedPlan(
  gpu: GpuDevice,
  resident: Pick<ResidentAttention, 'texels'>,
  { plan, gigaflopsPerSecond, choice, forBuffers }: ChosenPlan,
): Promise<SuitedPlan> {
  const chosen = { plan, gigaflopsPerSecond, choice, notes: [] };
  if (plan.readsTexels !== true) return chosen;
  try {
    await resident.texels(gpu);
    return chosen;
  } catch (error) {
    if (isDeviceLoss(error) || forBuffers.plan.readsTexels === true) throw error;
    const { id, label } = forBuffers.plan;
    const reason = error instanceof Error ? error.message : String(error);
    return {
      plan: forBuffers.plan,
      gigaflopsPerSecond: forBuffers.gigaflopsPerSecond,
      choice: { ...choice, id, label },
      notes: [`plan ${plan.id} gave way to ${id}: ${reason}`],
    };
  }
}
