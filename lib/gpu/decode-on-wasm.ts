import type { AdapterInfo } from '../attention/types';
import { BLOCK_KEYS } from '../wasm/attention';
import { simdLabel } from '../wasm/relaxed-simd';
import { decodeFlops, f32ReadBytes } from './decode-reads';
import type { DecodeRunner, StoredCall, StoredRun } from './decode-runner';
import { median } from './measure';
import { RoofCache, threadsKey } from './roof';
import { WARMUP_RUNS } from './run-context';
import { isShared, measureOnWasm } from './run-on-wasm';
import { widenedNotes } from './storage-notes';
import type { WasmLanes } from './wasm-lanes';

/** A WebAssembly memory ends at 4 GiB; tensors are held twice while they are loaded. */
const TENSOR_BYTES = 2 ** 30;

/**
 * WebAssembly SIMD over dequantised tensors: errors are those of the storage, times and bytes read
 * those of f32, whatever the storage.
 *
 * @param engineNote why, where WebGPU was allowed
 * @param roofs measured once per number of threads
 */
export function decodeOnWasm(
  adapter: AdapterInfo | undefined,
  engineNote: string | undefined,
  lanes: WasmLanes | undefined,
  roofs = new RoofCache(),
): DecodeRunner {
  return {
    engine: 'wasm',
    engineNote,
    adapter,
    roof: undefined,
    maxBufferBytes: TENSOR_BYTES,
    notes: [],
    run: (stored) => runOnWasm(stored, lanes, roofs),
  };
}

async function runOnWasm(
  { call, key, value, parts, check, signal, report }: StoredCall,
  lanes: WasmLanes | undefined,
  roofs: RoofCache,
): Promise<StoredRun> {
  const { shape, timedRuns: runs } = call.params;
  const rows = shape.batch * shape.queryHeads * shape.queries;
  const output = new Float32Array(rows * shape.headSize);
  const lse = new Float32Array(rows);
  const samplesSeconds = new Array<number>(runs).fill(0);
  let threads = 1;
  let at = 0;
  for (const [i, part] of parts.entries()) {
    const each = await measureOnWasm(part, {
      runs,
      lanes,
      roofs,
      signal,
      report: ({ fraction, phase }) =>
        report({
          fraction: fraction === undefined ? undefined : (i + fraction) / parts.length,
          phase,
        }),
    });
    each.samplesSeconds.forEach((seconds, run) => {
      samplesSeconds[run]! += seconds;
    });
    output.set(each.output, at * shape.headSize);
    lse.set(each.lse, at);
    at += each.lse.length;
    threads = Math.max(threads, each.threads);
  }
  const medianSeconds = median(samplesSeconds);
  const flops = decodeFlops(parts);
  const readBytes = f32ReadBytes(parts, BLOCK_KEYS);
  const timing = { flops, gigaflopsPerSecond: flops / medianSeconds / 1e9 };
  return {
    output,
    lse,
    medianSeconds,
    samplesSeconds,
    warmupRuns: WARMUP_RUNS,
    clock: 'performance.now',
    readBytes,
    roof: roofs.place(threadsKey(threads), timing, readBytes).roof,
    kernelError: check({ output, lse }),
    notes: [
      `${simdLabel()} on ${threads === 1 ? 'one thread' : `${threads} threads`} of the CPU, over dequantised tensors: the bytes that it reads, and so its times, are those of f32 whatever the storage`,
      ...widenedNotes([key, value]),
      ...(lanes?.problem === undefined || !isShared(shape) ? [] : [lanes.problem]),
      ...(call.pages === undefined
        ? []
        : ['each sequence was gathered from its pages before the timed runs, and run by itself']),
    ],
  };
}
