import { checkRecurrentInputs } from '../attention/recurrent/rule';
import type { RecurrentInputs, StateRule } from '../attention/recurrent/types';
import { readFloats, uniformBuffer } from './buffers';
import type { GpuDevice } from './device';
import { passTimestamps, type Stamps } from './measure';
import { MAX_KEY_SIZE, type RecurrentPlan, supportsRule } from './recurrent-plans';
import { type RecurrentStep, recurrentParamsView, recurrentSteps } from './recurrent-steps';
import { paddedSizes, resizeRows, resizeStates, uploadRecurrent } from './recurrent-tensors';

/** Submits that the device may have ahead of it: enough to stay busy, few enough to cancel. */
const SUBMITS_IN_FLIGHT = 2;

/** A rule bound to tensors on the device: run it as often as you like, then destroy it. */
export interface RecurrentJob {
  readonly submits: number;
  /** One run from the initial state; checks `signal` between submits. */
  run(stamps: Stamps | undefined, signal?: AbortSignal): Promise<void>;
  /** Output [batch, heads, tokens, valueSize] and the last state of the last run. */
  read(): Promise<{ readonly output: Float32Array; readonly state: Float32Array }>;
  destroy(): void;
}

export interface RecurrentJobOptions {
  /** Estimated throughput of the plan here, which decides the length of a submit. */
  readonly gigaflopsPerSecond: number;
  /** State to go on from, [batch, heads, stateRows, keySize]; zeros by default. */
  readonly initialState?: Float32Array;
}

/**
 * Uploads the inputs, compiles the plan's kernel for the rule and cuts the work into submits of
 * about 8 ms.
 *
 * @throws RangeError where a tensor does not fit the shape, keySize is above 128 or the plan does
 * not compute the rule
 */
export async function prepareRecurrent(
  gpu: GpuDevice,
  inputs: RecurrentInputs,
  rule: StateRule,
  plan: RecurrentPlan,
  options: RecurrentJobOptions,
): Promise<RecurrentJob> {
  const { shape } = inputs;
  checkRecurrentInputs(inputs, rule, options.initialState);
  if (shape.keySize > MAX_KEY_SIZE) {
    throw new RangeError(`invalid keySize: ${shape.keySize} (expected 1..${MAX_KEY_SIZE})`);
  }
  if (!supportsRule(plan, rule)) {
    throw new RangeError(`invalid plan: ${plan.id} (cannot compute rule ${rule.type})`);
  }
  const rows = shape.batch * shape.heads;
  const padded = paddedSizes(rule, shape);
  const view = recurrentParamsView(rule, shape);
  const chunks =
    plan.chunkTokens === undefined ? undefined : Math.ceil(shape.tokens / plan.chunkTokens);
  const tensors = await uploadRecurrent(gpu, inputs, rule, options.initialState, chunks);
  const uniform = uniformBuffer(gpu, view.arrayBuffer.byteLength);
  const destroy = () => {
    tensors.destroy();
    uniform.destroy();
  };
  try {
    const { steps, lastState } = await recurrentSteps(
      gpu,
      tensors,
      rule,
      shape,
      plan,
      uniform,
      options.gigaflopsPerSecond,
    );
    const submit = (
      step: RecurrentStep,
      stamps: Stamps | undefined,
      isFirst: boolean,
      isLast: boolean,
    ) => {
      view.set(step.params);
      gpu.device.queue.writeBuffer(uniform, 0, view.arrayBuffer);
      const encoder = gpu.device.createCommandEncoder();
      const timestampWrites = passTimestamps(stamps, isFirst, isLast);
      const pass = encoder.beginComputePass(timestampWrites ? { timestampWrites } : {});
      pass.setPipeline(step.pipeline);
      pass.setBindGroup(0, step.bindings);
      pass.dispatchWorkgroups(...step.grid);
      pass.end();
      gpu.device.queue.submit([encoder.finish()]);
      return gpu.device.queue.onSubmittedWorkDone();
    };

    return {
      submits: steps.length,
      destroy,
      run: async (stamps, signal) => {
        const inFlight: Promise<unknown>[] = [];
        try {
          for (const [i, step] of steps.entries()) {
            signal?.throwIfAborted();
            inFlight.push(submit(step, stamps, i === 0, i === steps.length - 1));
            if (inFlight.length >= SUBMITS_IN_FLIGHT) await gpu.settle(inFlight.shift()!);
          }
        } finally {
          await gpu.settle(Promise.all(inFlight));
        }
      },
      read: async () => {
        const outputs = rows * shape.tokens * padded.valueSize;
        const output = await readFloats(gpu, tensors.output, outputs);
        const states = rows * padded.stateRows * padded.keySize;
        const last = await readFloats(gpu, lastState, states);
        return {
          output: resizeRows(output, padded.valueSize, shape.valueSize),
          state: resizeStates(last, rule, shape, 'unpad'),
        };
      },
    };
  } catch (error) {
    destroy();
    throw error;
  }
}
