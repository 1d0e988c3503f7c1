import { type EvaluateRequest, runSamples } from '../evaluate/evaluate';
import type { SampleOutcome } from '../evaluate/types';
import type { Transformer } from '../transformer/types';
import { type DeviceChoice, type ModelDevices, onDevice } from './model-device';

/** A model, and the device that was asked for. */
export interface DeviceModel {
  readonly model: Transformer;
  readonly device?: DeviceChoice;
}

/**
 * Runs samples by the device of a model where one was asked for. A sample that the device fails is run
 * again: with `webgpu` on a new one, once, with `auto` without; its outcome says why.
 *
 * @throws Error with a sentence where `webgpu` fails twice in a row
 */
export async function runOnDevice(
  devices: ModelDevices,
  { model, device: choice }: DeviceModel,
  request: Omit<EvaluateRequest, 'model'>,
  [first, end]: readonly [number, number],
  take: (outcome: SampleOutcome) => void,
  signal: AbortSignal,
): Promise<void> {
  let next = first;
  let reason: string | undefined;
  for (;;) {
    const found = choice === undefined ? undefined : await devices.of(model, choice);
    const device = found?.device;
    if (choice === 'webgpu' && device === undefined) throw new Error(found?.problem);
    const used = device ? onDevice(model, device) : model;
    const problem =
      device === undefined
        ? found?.problem && `the GPU was not used: ${found.problem}`
        : reason && `the GPU failed and was opened anew: ${reason}`;
    const tell = (outcome: SampleOutcome) => {
      next = outcome.index + 1;
      take(problem === undefined ? outcome : { ...outcome, problem });
      reason = undefined;
    };
    try {
      await runSamples({ ...request, model: used }, next, end, tell, signal);
      return;
    } catch (error) {
      if (device === undefined || signal.aborted || !device.isOurs(error)) throw error;
      if (choice === 'webgpu' && reason !== undefined) throw error;
      reason = (error as Error).message;
      devices.fail(model, error);
    }
  }
}
