import type { AdapterInfo } from '../attention/types';
import type { ModelEngine } from '../spec/kinds/model';
import type { TextRun } from '../transformer/run-text';
import type { Transformer } from '../transformer/types';
import { isAbortError } from './worker-client';

/** What reads prompts of a model faster than its own engine: a real GPU, where there is one. */
export interface PrefillDevice {
  readonly adapter: AdapterInfo;
  readonly forwardAsync: NonNullable<Transformer['forwardAsync']>;
  destroy(): void;
}

export type OpenPrefillDevice = (model: Transformer) => Promise<PrefillDevice | undefined>;

/** A device or why there is none; both undefined where there is nothing to tell. */
export interface FoundDevice {
  readonly device: PrefillDevice | undefined;
  readonly problem: string | undefined;
}

/** Keeps the device of the model that was read last; a model asks once. */
export interface PrefillDevices {
  of(model: Transformer): Promise<FoundDevice>;
  /** Forgets a device that failed; the model does without from then on. */
  fail(model: Transformer, error: unknown): void;
}

export function createPrefillDevices(open: OpenPrefillDevice | undefined): PrefillDevices {
  let held: { readonly model: Transformer; found: Promise<FoundDevice> } | undefined;

  function letGo(found: Promise<FoundDevice>): void {
    void found.then(({ device }) => device?.destroy());
  }

  return {
    of(model) {
      if (held?.model === model) return held.found;
      if (held !== undefined) letGo(held.found);
      const found = (open?.(model) ?? Promise.resolve(undefined)).then(
        (device): FoundDevice => ({ device, problem: undefined }),
        (error: Error): FoundDevice => ({ device: undefined, problem: error.message }),
      );
      held = { model, found };
      return found;
    },
    fail(model, error) {
      if (held?.model !== model) return;
      letGo(held.found);
      const problem = error instanceof Error ? error.message : String(error);
      held = { model, found: Promise.resolve({ device: undefined, problem }) };
    },
  };
}

/** A text, and who read its prompt. */
export interface DeviceText {
  readonly text: TextRun;
  readonly adapter?: AdapterInfo;
  readonly notes: readonly string[];
}

/** Runs a text with its prompt on a device where there is one, and without where that fails. */
export async function writeOnDevice(
  devices: PrefillDevices,
  engine: ModelEngine,
  transformer: Transformer,
  write: (model: Transformer) => Promise<TextRun>,
): Promise<DeviceText> {
  if (engine !== 'auto') return { text: await write(transformer), notes: [] };
  const { device, problem } = await devices.of(transformer);
  if (device === undefined) {
    const notes = problem === undefined ? [] : [`the GPU was not used: ${problem}`];
    return { text: await write(transformer), notes };
  }
  try {
    const text = await write({ ...transformer, forwardAsync: device.forwardAsync });
    const notes = ['the prompt was read on the GPU, in chunks; tokens were written in WebAssembly'];
    return { text, adapter: device.adapter, notes };
  } catch (error) {
    if (isAbortError(error)) throw error;
    devices.fail(transformer, error);
    return writeOnDevice(devices, engine, transformer, write);
  }
}
