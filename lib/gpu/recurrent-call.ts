import type { RecurrentCall, TestTimeCall } from '../attention/recurrent/call';
import { foldMemories, MEMORY_RULE, mixOutputs } from '../attention/recurrent/mixture';
import type { RecurrentInputs, StateRule } from '../attention/recurrent/types';
import type { GpuDevice } from './device';
import { prepareLegendre } from './legendre-job';
import { prepareRecurrent, type RecurrentJob } from './recurrent-job';
import { defaultRecurrentPlan } from './recurrent-plans';

/** Guess that decides the length of submits: what a software adapter reaches on two processors. */
export const GUESS_GIGAFLOPS = 8;

/** Calls that the kernels compute. */
export type DeviceCall = Exclude<RecurrentCall, TestTimeCall>;

export interface PreparedCall {
  readonly job: Pick<RecurrentJob, 'run' | 'destroy'>;
  /** Kernel plan in words. */
  readonly plan: string;
  /** Output [batch, heads, tokens, valueSize] and the states of the last run. */
  read(): ReturnType<RecurrentJob['read']>;
  readonly notes: readonly string[];
}

/**
 * Binds a call to the device with the adapter's default plan. A mixture runs as one gated-delta
 * call with its memories as batches.
 *
 * @throws Error with a sentence where the adapter cannot hold or compute it
 */
export async function prepareCall(gpu: GpuDevice, call: DeviceCall): Promise<PreparedCall> {
  switch (call.type) {
    case 'state': {
      const { job, plan } = await prepareState(gpu, call.inputs, call.rule);
      return { job, plan, read: job.read, notes: [] };
    }
    case 'lmu': {
      const job = await prepareLegendre(gpu, call.inputs);
      return {
        job,
        plan: 'powers of the step, chunks of 32 tokens',
        read: job.read,
        notes: [
          'the flops are those of the token-by-token form; chunks need fewer, and the powers of the fixed step are computed once on the CPU',
        ],
      };
    }
    case 'mom': {
      const { job, plan } = await prepareState(gpu, foldMemories(call.inputs), MEMORY_RULE);
      return {
        job,
        plan: `${plan}, ${call.inputs.memories.length} memories as batches`,
        read: async () => {
          const { output, state } = await job.read();
          return { output: Float32Array.from(mixOutputs(call.inputs, output)), state };
        },
        notes: [
          'the time is that of all memories on the device; routing, and the weighted sum of their outputs, are done on the CPU and not timed',
        ],
      };
    }
  }
}

async function prepareState(gpu: GpuDevice, inputs: RecurrentInputs, rule: StateRule) {
  const plan = defaultRecurrentPlan(gpu.info, rule, inputs.shape);
  const job = await prepareRecurrent(gpu, inputs, rule, plan, {
    gigaflopsPerSecond: GUESS_GIGAFLOPS,
  });
  return { job, plan: plan.label };
}
