import { fileInputs } from '../attention/file-inputs';
import { inputSteps, type makeInputs } from '../attention/inputs';
import type { AttentionInputs, AttentionResult } from '../attention/types';
import type { AttentionCall, OnProgress } from '../run/worker-api';
import { driveSteps } from './jobs';

/** The inputs of a call, and what its result says of them. */
export interface CallInputs {
  readonly inputs: AttentionInputs;
  readonly tokens?: readonly string[] | undefined;
  readonly notes: readonly string[];
}

/** Seeded inputs, or those of a file, slice by slice. @throws as `fileInputs` */
export async function callInputs(
  { params, file }: AttentionCall,
  signal: AbortSignal,
  report: OnProgress,
  makeSeeded?: typeof makeInputs,
): Promise<CallInputs> {
  if (params.inputs.source !== 'file') {
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
