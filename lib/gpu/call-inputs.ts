import { fileInputs } from '../attention/file-inputs';
import { inputSteps, type makeInputs } from '../attention/inputs';
import type { AttentionInputs, AttentionResult } from '../attention/types';
import type { AttentionCall, OnProgress } from '../run/worker-api';
import type { Transformer } from '../transformer/types';
import { driveSteps } from './jobs';
import { modelInputs } from './model-inputs';

/** The inputs of a call, and what its result says of them. */
export interface CallInputs {
  readonly inputs: AttentionInputs;
  readonly tokens?: readonly string[] | undefined;
  readonly notes: readonly string[];
}

/**
 * Seeded inputs, those of a file, slice by slice, or a layer of the shipped model.
 *
 * @throws as `fileInputs` and `modelInputs`
 */
export async function callInputs(
  { params, file }: AttentionCall,
  signal: AbortSignal,
  report: OnProgress,
  loadModel: () => Promise<Transformer>,
  makeSeeded?: typeof makeInputs,
): Promise<CallInputs> {
  if (params.inputs.source === 'model') {
    report({ fraction: undefined, phase: 'running the model' });
    return modelInputs(params, await loadModel());
  }
  if (params.inputs.source === 'synthetic') {
    const seeded = () =>
      driveSteps(inputSteps(params), signal, (fraction) => report({ fraction, phase: 'inputs' }));
    return { inputs: makeSeeded?.(params) ?? (await seeded()), notes: [] };
  }
  return fileInputs(params, file, {
    signal,
    onFraction: (fraction) => report({ fraction, phase: 'reading the file' }),
  });
}

/** The result with what is to be said of its inputs. */
export function describeInputs(
  result: AttentionResult,
  { tokens, notes }: CallInputs,
): AttentionResult {
  return { ...result, notes: [...notes, ...result.notes], ...(tokens && { tokens }) };
}
