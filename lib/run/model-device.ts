import type { AdapterInfo } from '../attention/types';
import type { ModelEngine } from '../spec/kinds/model';
import type { TextRun } from '../transformer/run-text';
import type { Transformer } from '../transformer/types';
import { isAbortError } from './worker-client';

/** What computes a model faster than its own engine, or was asked for. */
export interface ModelDevice {
  readonly adapter: AdapterInfo;
  /** Single tokens run on it too; else only steps of many rows. */
  readonly decodes: boolean;
  /** Where it was measured which of the two is faster: milliseconds of one token. */
  readonly decodeMilliseconds?: { readonly device: number; readonly cpu: number };
  readonly forwardAsync: NonNullable<Transformer['forwardAsync']>;
  readonly tally: NonNullable<Transformer['tally']>;
  /** Whether a failure of `forwardAsync` is the device's, not of what was asked. */
  isOurs(error: unknown): boolean;
  destroy(): void;
}

/** `auto` is a real GPU, or none; `webgpu` any adapter. */
export type DeviceChoice = 'auto' | 'webgpu';

/** Undefined where there is none and `auto` was asked for; rejects with a sentence where it cannot be used. */
export type OpenModelDevice = (
  model: Transformer,
  choice: DeviceChoice,
) => Promise<ModelDevice | undefined>;

/** The device that an engine of a cell asks for; undefined for engines of the processor. */
export function deviceChoice(engine: ModelEngine): DeviceChoice | undefined {
  return engine === 'auto' || engine === 'webgpu' ? engine : undefined;
}

/** A device or why there is none; both undefined where there is nothing to tell. */
export interface FoundDevice {
  readonly device: ModelDevice | undefined;
  readonly problem: string | undefined;
}

const NO_WEBGPU = 'WebGPU is found in the page only: choose the engine wasm';

/** Keeps the device of the model that was computed last; a model asks once. */
export interface ModelDevices {
  of(model: Transformer, choice: DeviceChoice): Promise<FoundDevice>;
  /** Forgets a device that failed; with `auto` the model does without from then on. */
  fail(model: Transformer, error: unknown): void;
}

export function createModelDevices(open: OpenModelDevice | undefined): ModelDevices {
  interface Held {
    readonly model: Transformer;
    readonly choice: DeviceChoice;
    readonly found: Promise<FoundDevice>;
  }
  let held: Held | undefined;

  function letGo({ found }: Held): void {
    void found.then(({ device }) => device?.destroy());
  }

  function find(model: Transformer, choice: DeviceChoice): Promise<FoundDevice> {
    if (open === undefined) {
      const problem = choice === 'webgpu' ? NO_WEBGPU : undefined;
      return Promise.resolve({ device: undefined, problem });
    }
    return open(model, choice).then(
      (device): FoundDevice => ({ device, problem: undefined }),
      (error: Error): FoundDevice => ({ device: undefined, problem: error.message }),
    );
  }

  return {
    of(model, choice) {
      if (held?.model === model && held.choice === choice) return held.found;
      if (held !== undefined) letGo(held);
      held = { model, choice, found: find(model, choice) };
      return held.found;
    },
    fail(model, error) {
      if (held?.model !== model) return;
      letGo(held);
      const problem = error instanceof Error ? error.message : String(error);
      const { choice } = held;
      // Who asked for WebGPU by name gets a new device instead of another engine.
      held =
        choice === 'auto'
          ? { model, choice, found: Promise.resolve({ device: undefined, problem }) }
          : undefined;
    },
  };
}

type Times = ModelDevice['decodeMilliseconds'];

/** What a token costs on both, where that was measured: in brackets. */
export function tokenTimes(times: Times): string {
  const text = (milliseconds: number) => `${Number(milliseconds.toPrecision(2))} ms`;
  return times
    ? ` (a token takes ${text(times.device)} by WebGPU, ${text(times.cpu)} in WebAssembly)`
    : '';
}

/** How much of a text is the device's, in words. */
export function deviceNote({
  decodes,
  decodeMilliseconds,
}: Pick<ModelDevice, 'decodes' | 'decodeMilliseconds'>): string {
  const times = tokenTimes(decodeMilliseconds);
  return decodes
    ? `the prompt was read and tokens were written by WebGPU${times}`
    : `the prompt was read by WebGPU, in chunks; tokens were written in WebAssembly, which is faster${times}`;
}

const onDevices = new WeakMap<ModelDevice, Transformer>();

/** A model with a device beside it, one each: what a policy has fitted to a model stays its own. */
export function onDevice(model: Transformer, device: ModelDevice): Transformer {
  const known = onDevices.get(device);
  if (known !== undefined) return known;
  let cpu = 0;
  const made: Transformer = {
    ...model,
    forward(step) {
      cpu++;
      return model.forward(step);
    },
    forwardAsync: device.forwardAsync,
    tally() {
      const tally = device.tally();
      return { ...tally, cpu: tally.cpu + cpu };
    },
  };
  onDevices.set(device, made);
  return made;
}

/** A text, and who computed it. */
export interface DeviceText {
  readonly text: TextRun;
  readonly adapter?: AdapterInfo;
  readonly notes: readonly string[];
}

/**
 * Runs a text on a device where the engine says so. With `auto` without one where that fails, which
 * the notes tell; with `webgpu` once more on a new device.
 *
 * @throws Error with a sentence where `webgpu` cannot be had, or fails twice
 */
export async function writeOnDevice(
  devices: ModelDevices,
  engine: ModelEngine,
  transformer: Transformer,
  write: (model: Transformer) => Promise<TextRun>,
  earlier: readonly string[] = [],
): Promise<DeviceText> {
  const choice = deviceChoice(engine);
  if (choice === undefined) return { text: await write(transformer), notes: [] };
  const { device, problem } = await devices.of(transformer, choice);
  if (device === undefined) {
    if (choice === 'webgpu') throw new Error(problem ?? 'no WebGPU adapter in this browser');
    const notes = problem === undefined ? [] : [`the GPU was not used: ${problem}`];
    return { text: await write(transformer), notes };
  }
  try {
    const text = await write(onDevice(transformer, device));
    return { text, adapter: device.adapter, notes: [...earlier, deviceNote(device)] };
  } catch (error) {
    if (isAbortError(error)) throw error;
    devices.fail(transformer, error);
    if (choice === 'webgpu' && (earlier.length > 0 || !device.isOurs(error))) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return writeOnDevice(devices, engine, transformer, write, [
      `the GPU failed and was opened anew: ${reason}`,
    ]);
  }
}
