import { referenceSteps } from '../attention/reference';
import { f32ReadBytes } from './decode-reads';
import type { DecodeRunner, StoredCall, StoredRun } from './decode-runner';
import { driveSteps } from './jobs';
import { widenedNotes } from './storage-notes';

const CPU_BLOCK = 64;
const TENSOR_BYTES = 2 ** 30;

/** The f64 reference over dequantised tensors, once per storage. */
export const decodeOnCpu: DecodeRunner = {
  engine: 'cpu',
  engineNote: undefined,
  adapter: undefined,
  roof: undefined,
  maxBufferBytes: TENSOR_BYTES,
  notes: [
    'the CPU reference computes in f64 over dequantised tensors and runs once; it is not a tuned CPU kernel, and the bytes that it reads are those of f32',
  ],
  run: runOnCpu,
};

async function runOnCpu({
  call,
  key,
  value,
  parts,
  signal,
  report,
}: StoredCall): Promise<StoredRun> {
  const { shape } = call.params;
  const rows = shape.batch * shape.queryHeads * shape.queries;
  const output = new Float64Array(rows * shape.headSize);
  const lse = new Float64Array(rows);
  const start = performance.now();
  let at = 0;
  for (const part of parts) {
    const each = await driveSteps(referenceSteps(part), signal, (fraction) =>
      report({ fraction, phase: 'timing' }),
    );
    output.set(each.output, at * shape.headSize);
    lse.set(each.lse, at);
    at += each.lse.length;
  }
  const seconds = (performance.now() - start) / 1000;
  return {
    output,
    lse,
    medianSeconds: seconds,
    samplesSeconds: [seconds],
    warmupRuns: 0,
    clock: 'performance.now',
    readBytes: f32ReadBytes(parts, CPU_BLOCK),
    kernelError: undefined,
    notes: widenedNotes([key, value]),
  };
}
