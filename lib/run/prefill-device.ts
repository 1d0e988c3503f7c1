import type { AdapterInfo } from '../attention/types';
import type { Transformer } from '../transformer/types';

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
