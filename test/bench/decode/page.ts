import {
  type DecodeCall,
  decodeCall,
  entriesOf,
  partsOf,
} from '../../../lib/attention/decode/call';
import { kernelError, referenceRows, rowsToCompare } from '../../../lib/attention/decode/errors';
import { type StoredTensor, storeTensor } from '../../../lib/attention/decode/stored';
import { PlanChooser } from '../../../lib/gpu/choose-plan';
import { candidateJobs, type PreparedJob, type StoredTensors } from '../../../lib/gpu/decode-jobs';
import { type GpuDevice, openDevice } from '../../../lib/gpu/device';
import { prepareWasmCall, type WasmCall } from '../../../lib/gpu/formula-wasm';
import type { CacheStorage } from '../../../lib/spec/kinds/decode';
import { decodeParams } from '../../../lib/spec/kinds/decode';

/** Reads enough rows for every query head, and no more. */
const CHECK_FLOPS = 2e7;

export interface Ready {
  readonly plan: string;
  readonly readBytes: number;
  /** Kernels that were there to choose from. */
  readonly candidates: number;
}

let opened: Promise<GpuDevice | undefined> | undefined;
const plans = new PlanChooser();
let call: DecodeCall | undefined;
let stored: StoredTensors | undefined;
let job: PreparedJob | undefined;
let wasm: WasmCall | undefined;

async function device(): Promise<GpuDevice> {
  opened ??= openDevice();
  const gpu = await opened;
  if (gpu === undefined) throw new Error('no WebGPU adapter in this browser');
  return gpu;
}

function finished<T>(steps: Generator<number, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** A step's inputs; storages of it follow. */
function shape(params: unknown): void {
  call = decodeCall(decodeParams.parse(params));
}

function store(storage: CacheStorage): void {
  const { inputs, pages, params } = call!;
  const { batch, kvHeads, keys, headSize } = params.shape;
  const sizes = { heads: batch * kvHeads, rows: keys, columns: headSize };
  const each = (name: 'key' | 'value'): StoredTensor =>
    finished(storeTensor(inputs[name], sizes, storage[name]));
  const key = each('key');
  const value = each('value');
  const held = { ...inputs, key: key.values, value: value.values };
  stored = { call: call!, key, value, parts: partsOf(params, held, pages) };
}

/** Binds one of the kernels of a storage, the page's own choice where `candidate` is 0. */
async function prepare(storage: CacheStorage, candidate: number): Promise<Ready> {
  const gpu = await device();
  store(storage);
  const chosen = await plans.choose(gpu, call!.params.shape);
  const candidates = candidateJobs(gpu, chosen, stored!, []);
  const make = candidates[candidate];
  if (make === undefined) throw new Error(`no candidate ${candidate} (of ${candidates.length})`);
  job = await make();
  return { plan: job.plan, readBytes: job.readBytes, candidates: candidates.length };
}

/** The same step in WebAssembly on one thread, over dequantised tensors as the page runs it. */
function prepareWasm(storage: CacheStorage): Ready {
  store(storage);
  const [inputs] = stored!.parts;
  if (inputs === undefined || stored!.parts.length > 1) throw new Error('one part expected');
  wasm = prepareWasmCall(inputs);
  return { plan: 'wasm, 1 thread', readBytes: 0, candidates: 1 };
}

/** Wall milliseconds of `runs` runs, one after the other. */
async function sample(runs: number): Promise<number[]> {
  const milliseconds: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    if (wasm === undefined) await job!.run(undefined);
    else {
      Atomics.store(wasm.call.next, 0, 0);
      wasm.lane.runSome(Number.POSITIVE_INFINITY);
    }
    milliseconds.push(performance.now() - start);
  }
  return milliseconds;
}

/** Against f64 attention over what the storage holds; lets the job go. */
async function finish(): Promise<{ maxAbs: number; withinTolerance: boolean }> {
  const { shape: sizes } = call!.params;
  const rows = rowsToCompare(sizes, CHECK_FLOPS);
  const expected = finished(referenceRows(sizes, entriesOf(stored!.parts), rows));
  const output = wasm === undefined ? await job!.read() : wasm.lane.attention;
  const { maxAbs, withinTolerance } = kernelError(sizes, output, expected);
  job?.destroy();
  job = undefined;
  wasm = undefined;
  return { maxAbs, withinTolerance };
}

Object.assign(globalThis, { kernelTests: { shape, prepare, prepareWasm, sample, finish } });
