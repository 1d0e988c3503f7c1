import { checkShapeLimits, findNonFinite } from '../attention/checks';
import { inputSteps } from '../attention/inputs';
import { mapBaseSteps, mapWindow } from '../attention/map';
import type { RecurrentResult } from '../attention/recurrent/result';
import type { AdapterInfo, AttentionInputs, MapBase, MapRect, MapWindow } from '../attention/types';
import type { KernelApi, OnProgress } from '../run/worker-api';
import type { AttentionParams } from '../spec/kinds/attention';
import type { RecurrentParams } from '../spec/kinds/recurrent';
import { PlanChooser } from './choose-plan';
import { DeviceKeeper } from './device-keeper';
import { driveSteps, Jobs, throttled, yieldToMessages } from './jobs';
import { mapBaseOnDevice } from './map-base';
import { type ResidentCall, Residents, residentKey } from './residents';
import { RoofCache } from './roof';
import { runOnDevice } from './run-attention';
import type { AttentionRun, RunContext } from './run-context';
import { runOnCpu } from './run-on-cpu';
import { runOnWasm } from './run-on-wasm';
import { runRecurrentOnDevice } from './run-recurrent';
import { runRecurrentOnCpu } from './run-recurrent-on-cpu';
import { selectKeys } from './select-keys';
import { type LaneWorker, WasmLanes } from './wasm-lanes';

const RESIDENT_BYTES = 1024 * 2 ** 20;
const REPEATED = 'the GPU device was lost during this run and the run was repeated once';
const CPU_TENSOR_BYTES = 1024 * 2 ** 20;

/** The kernel worker's interface, with one addition. */
export interface KernelService extends KernelApi {
  /** Destroys the device under the running job, to check that the job recovers. */
  loseDevice(): Promise<void>;
}

export interface KernelServiceOptions {
  /** Replaces the seeded inputs; for tests of inputs that no seed yields. */
  readonly makeInputs?: (params: AttentionParams) => AttentionInputs;
  /** Starts a thread for WebAssembly; without it there is one thread. */
  readonly spawnLane?: () => LaneWorker;
}

/** Kernels over one device; state is the device, chosen plans, roofs and resident tensors. */
export function createKernelService(options: KernelServiceOptions = {}): KernelService {
  const inputsOf = (params: AttentionParams, signal: AbortSignal, report: OnProgress) =>
    options.makeInputs?.(params) ??
    driveSteps(inputSteps(params), signal, (fraction) => report({ fraction, phase: 'inputs' }));
  const jobs = new Jobs();
  const residents = new Residents(RESIDENT_BYTES);
  const keeper = new DeviceKeeper(() => residents.clear());
  const plans = new PlanChooser();
  const roofs = new RoofCache();
  const lanes = new WasmLanes(options.spawnLane);

  /** Runs the call and keeps its tensors; map calls come through here too, untimed. */
  async function attention(
    params: AttentionParams,
    signal: AbortSignal,
    report: OnProgress,
    isTimed: boolean,
  ): Promise<AttentionRun['result']> {
    report({ fraction: undefined, phase: 'inputs' });
    await yieldToMessages();
    signal.throwIfAborted();
    // Before the inputs are built: a shape beyond the limits may not fit into memory either.
    const gpu =
      params.engine === 'cpu' || params.engine === 'wasm' ? undefined : await keeper.get();
    const issues = checkShapeLimits(params.shape, gpu?.info.maxBufferBytes ?? CPU_TENSOR_BYTES);
    if (issues.length > 0) throw new Error(issues.join('; '));
    const inputs = await inputsOf(params, signal, report);
    const nonFinite = findNonFinite(inputs);
    if (nonFinite !== undefined) throw new Error(nonFinite);
    await yieldToMessages();
    signal.throwIfAborted();
    const selected = await selectKeys(params, inputs, signal, report);
    const context = { params, ...selected, signal, report, isTimed };
    const run = await runBy(params.engine, context, gpu?.info);
    residents.add(residentKey(params), run.resident);
    return run.result;
  }

  /** `auto` takes WebGPU on hardware; a software adapter is slower than WebAssembly. */
  function runBy(
    engine: AttentionParams['engine'],
    context: RunContext,
    adapter: AdapterInfo | undefined,
  ): Promise<AttentionRun> {
    if (engine === 'cpu') return runOnCpu(context);
    if (engine === 'wasm') return runOnWasm(context, undefined, undefined, lanes, roofs);
    if (engine === 'webgpu' && adapter === undefined) {
      throw new Error(
        'engine webgpu was asked for, but this browser has no WebGPU adapter; choose engine auto, wasm or cpu',
      );
    }
    if (engine === 'webgpu' || adapter?.isFallback === false) return runOnGpu(context);
    return runOnWasm(
      context,
      adapter,
      adapter === undefined
        ? 'no WebGPU adapter in this browser: WebAssembly ran on the CPU instead'
        : `the only WebGPU adapter here is software (${adapter.architecture || adapter.vendor}), which is slower than WebAssembly on the CPU: that ran instead; engine webgpu runs the kernel all the same`,
      lanes,
      roofs,
    );
  }

  async function runOnGpu(context: RunContext): Promise<AttentionRun> {
    const notes: string[] = [];
    const run = await keeper.withRecovery(
      (device) => runOnDevice(device, { plans, roofs }, context),
      (reason) => notes.push(`${REPEATED}: ${reason}`),
    );
    return { ...run, result: { ...run.result, notes: [...notes, ...run.result.notes] } };
  }

  async function recurrent(
    params: RecurrentParams,
    signal: AbortSignal,
    report: OnProgress,
  ): Promise<RecurrentResult> {
    const { engine } = params;
    if (engine === 'cpu') return runRecurrentOnCpu(params, undefined, signal, report);
    if ((await keeper.get()) === undefined) {
      if (engine === 'webgpu') {
        throw new Error(
          'engine webgpu was asked for, but this browser has no WebGPU adapter; choose engine auto or cpu',
        );
      }
      const note = 'no WebGPU adapter in this browser: the CPU reference ran instead';
      return runRecurrentOnCpu(params, note, signal, report);
    }
    const notes: string[] = [];
    const result = await keeper.withRecovery(
      (device) => runRecurrentOnDevice(device, roofs, params, signal, report),
      (reason) => notes.push(`${REPEATED}: ${reason}`),
    );
    return { ...result, notes: [...notes, ...result.notes] };
  }

  async function ensureResident(params: AttentionParams, signal: AbortSignal): Promise<string> {
    const key = residentKey(params);
    if (!residents.has(key)) await attention(params, signal, () => undefined, false);
    return key;
  }

  async function mapBaseOf(
    call: ResidentCall,
    batch: number,
    head: number,
    signal: AbortSignal,
  ): Promise<MapBase> {
    const gpu = call.device === undefined ? undefined : await keeper.get();
    if (gpu !== undefined && call.device !== undefined) {
      return mapBaseOnDevice(gpu, call.device, batch, head, signal);
    }
    const steps = mapBaseSteps(call.inputs, call.lse, batch, head);
    return driveSteps(steps, signal, () => undefined);
  }

  return {
    adapter: async (): Promise<AdapterInfo | undefined> => (await keeper.get())?.info,
    attention: (jobId, params, onProgress) =>
      jobs.run(jobId, async (signal) => {
        const { report, stop } = throttled(onProgress);
        try {
          return await attention(params, signal, report, true);
        } finally {
          stop();
        }
      }),
    recurrent: (jobId, params, onProgress) =>
      jobs.run(jobId, async (signal) => {
        const { report, stop } = throttled(onProgress);
        try {
          return await recurrent(params, signal, report);
        } finally {
          stop();
        }
      }),
    mapBase: (jobId, params, batch, head) =>
      jobs.run(jobId, async (signal) => {
        checkHead(params, batch, head);
        const run = async () => {
          const key = await ensureResident(params, signal);
          return residents.use(key, (call) => mapBaseOf(call, batch, head, signal));
        };
        // Without an adapter there is no device to lose.
        return (await keeper.get()) === undefined
          ? run()
          : keeper.withRecovery(run, () => undefined);
      }),
    mapWindow: (jobId, params, batch, head, rect: MapRect): Promise<MapWindow> =>
      jobs.run(jobId, async (signal) => {
        checkHead(params, batch, head);
        const key = await ensureResident(params, signal);
        return residents.use(key, async ({ inputs, lse }) =>
          mapWindow(inputs, lse, batch, head, rect),
        );
      }),
    cancel: (jobId) => jobs.cancel(jobId),
    loseDevice: () => keeper.lose(),
  };
}

function checkHead({ shape }: AttentionParams, batch: number, head: number): void {
  const isInside = (index: number, count: number) =>
    Number.isInteger(index) && index >= 0 && index < count;
  if (!isInside(batch, shape.batch)) {
    throw new RangeError(`invalid batch: ${batch} (expected 0..${shape.batch - 1})`);
  }
  if (!isInside(head, shape.queryHeads)) {
    throw new RangeError(`invalid head: ${head} (expected 0..${shape.queryHeads - 1})`);
  }
}
