import { prepareAttention } from '../../../lib/gpu/attention-job';
import { PlanChooser } from '../../../lib/gpu/choose-plan';
import { openDevice } from '../../../lib/gpu/device';
import { ResidentAttention } from '../../../lib/gpu/resident';
import type { Engine } from './engine';

export async function ownEngine(): Promise<Engine> {
  const gpu = await openDevice();
  if (gpu === undefined) throw new Error('no WebGPU adapter');
  const plans = new PlanChooser();
  return {
    prepare: async (inputs) => {
      const chosen = await plans.choose(gpu, inputs.shape);
      const resident = await ResidentAttention.upload(gpu, inputs);
      const job = await prepareAttention(gpu, resident, inputs, chosen.plan, {
        gigaflopsPerSecond: chosen.gigaflopsPerSecond,
      });
      return {
        detail: `plan ${chosen.plan.id}, ${job.submits} submits`,
        blockDensity: (job.list.full + job.list.partial) / job.list.total,
        run: () => job.run(undefined),
        read: async () => (await resident.read(gpu)).output,
        destroy: () => {
          job.destroy();
          resident.destroy();
        },
      };
    },
  };
}
