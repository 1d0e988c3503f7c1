import { fileInputs } from '../attention/file-inputs';
import { makeInputs } from '../attention/inputs';
import type { AttentionInputs, AttentionResult } from '../attention/types';
import type { AttentionCall, OnProgress } from '../run/worker-api';

/** The inputs of a call, and what its result says of them. */
export interface CallInputs {
  readonly inputs: AttentionInputs;
  readonly tokens?: readonly string[] | undefined;
  readonly notes: readonly string[];
}

/** Seeded inputs at once, those of a file slice by slice. @throws as `fileInputs` */
export async function callInputs(
  { params, file }: AttentionCall,
  signal: AbortSignal,
  report: OnProgress,
  makeSeeded: typeof makeInputs = makeInputs,
): Promise<CallInputs> {
  if (params.inputs.source !== 'file') return { inputs: makeSeeded(params), notes: [] };
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
