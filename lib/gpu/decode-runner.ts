import type { DecodeCall } from '../attention/decode/call';
import type { DecodeResult, KernelError } from '../attention/decode/result';
import type { StoredTensor } from '../attention/decode/stored';
import type { AdapterRoof, AttentionInputs, AttentionOutput } from '../attention/types';
import type { OnProgress } from '../run/worker-api';
import type { Measurement } from './measure';

/** A step with its keys and values stored in one way. */
export interface StoredCall {
  readonly call: DecodeCall;
  readonly key: StoredTensor;
  readonly value: StoredTensor;
  /** The step's parts over what the storage holds. */
  readonly parts: readonly AttentionInputs[];
  /** An output against f64 attention over the same. */
  readonly check: (output: AttentionOutput) => KernelError;
  readonly signal: AbortSignal;
  readonly report: OnProgress;
}

export interface StoredRun extends AttentionOutput, Measurement {
  readonly plan?: string;
  readonly splits?: number;
  readonly submits?: number;
  readonly readBytes: number;
  /** What the run stands under, where that is known only then. */
  readonly roof?: AdapterRoof | undefined;
  /** Undefined where the reference itself ran. */
  readonly kernelError: KernelError | undefined;
  readonly notes: readonly string[];
}

/** An engine, as a step sees it. */
export interface DecodeRunner
  extends Pick<DecodeResult, 'engine' | 'engineNote' | 'adapter' | 'roof' | 'notes'> {
  /** Largest tensor. */
  readonly maxBufferBytes: number;
  run(stored: StoredCall): Promise<StoredRun>;
}
