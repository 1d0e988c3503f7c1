import { buildBlockList } from '../attention/block-list';
import { checkShapeLimits, findNonFinite } from '../attention/checks';
import type { ComposeResult } from '../attention/compose/result';
import type { DecodeResult } from '../attention/decode/result';
import { elementScore, mapWindow } from '../attention/map';
import { type AttentionProgram, makeProgram } from '../attention/program';
import type { RecurrentResult } from '../attention/recurrent/result';
import { isTestTimeRule } from '../attention/recurrent/rule';
import { tensorFile } from '../attention/tensor-file';
import type { AdapterInfo, AttentionInputs, MapBase, MapRect, MapWindow } from '../attention/types';
import { attentionWeights } from '../attention/weights/attention-weights';
import type {
  AttentionCall,
  KernelApi,
  KernelCall,
  KernelOutput,
  OnProgress,
} from '../run/worker-api';
import type { AttentionParams } from '../spec/kinds/attention';
import type { ComposeParams } from '../spec/kinds/compose';
import type { DecodeParams } from '../spec/kinds/decode';
import type { RecurrentParams } from '../spec/kinds/recurrent';
import { callInputs, describeInputs } from './call-inputs';
import { PlanChooser } from './choose-plan';
import { decodeOnCpu } from './decode-on-cpu';
import { decodeOnDevice } from './decode-on-device';
import { decodeOnWasm } from './decode-on-wasm';
import { DeviceKeeper } from './device-keeper';
import { abortable, Jobs, withReports, yieldToMessages } from './jobs';
import { mapBaseOnDevice } from './map-base';
import { asShortage } from './memory-shortage';
import { type ReadRecall, recallModel } from './model-inputs';
import { headsOfList } from './plans';
import { reduceMap } from './reduce-map';
import { type ResidentCall, Residents, residentKey } from './residents';
import { RoofCache } from './roof';
import { runOnDevice } from './run-attention';
import { runCompose } from './run-compose';
import type { AttentionRun, RunContext } from './run-context';
import { runDecode } from './run-decode';
import { runOnCpu } from './run-on-cpu';
import { runOnWasm } from './run-on-wasm';
import { runRecurrentOnDevice } from './run-recurrent';
import { runRecurrentOnCpu } from './run-recurrent-on-cpu';
import { runRecurrentOnWasm, runsOnWasm } from './run-recurrent-on-wasm';
import { selectKeys } from './select-keys';
import { type LaneWorker, WasmLanes } from './wasm-lanes';
import { checkIndex, createWeightMaps } from './weight-maps';

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
  /** Reads the shipped model; without it cells over its tensors fail. */
  readonly readRecall?: ReadRecall;
}

/** Kernels over one device; state is the device, chosen plans, roofs and resident tensors. */
export function createKernelService(options: KernelServiceOptions = {}): KernelService {
  const jobs = new Jobs();
  const residents = new Residents(RESIDENT_BYTES);
  const keeper = new DeviceKeeper(() => residents.clear());
  const plans = new PlanChooser();
  const roofs = new RoofCache();
  const lanes = new WasmLanes(options.spawnLane);
  const weightMaps = createWeightMaps();
  const loadModel = recallModel(
    options.readRecall ?? (() => Promise.reject(new Error('the shipped model is not there'))),
  );

  /** Runs the call and keeps its tensors; map calls come through here too, untimed. */
  async function attention(
    call: AttentionCall,
    signal: AbortSignal,
    report: OnProgress,
    isTimed: boolean,
  ): Promise<AttentionRun['result']> {
    const { params } = call;
    report({ fraction: undefined, phase: 'inputs' });
    await yieldToMessages();
    signal.throwIfAborted();
    // Before the inputs are built: a shape beyond the limits may not fit into memory either.
    const gpu = await abortable(adapterFor(params.engine), signal);
    const issues = checkShapeLimits(params.shape, gpu?.info.maxBufferBytes ?? CPU_TENSOR_BYTES);
    if (issues.length > 0) throw new Error(issues.join('; '));
    const made = await callInputs(call, signal, report, loadModel, options.makeInputs);
    const { inputs, tokens } = made;
    const nonFinite = findNonFinite(inputs);
    if (nonFinite !== undefined) throw new Error(nonFinite);
    await yieldToMessages();
    signal.throwIfAborted();
    const selected = await selectKeys(params, inputs, signal, report);
    const context = { params, ...selected, signal, report, isTimed };
    const run = await runBy(params.engine, context, gpu?.info);
    residents.add(residentKey(call), { ...run.resident, tokens });
    return describeInputs(run.result, made);
  }

  function noAdapter(): Error {
    return new Error(
      'engine webgpu was asked for, but this browser has no WebGPU adapter; choose engine auto, wasm or cpu',
    );
  }

  /** The device, where the engine may use one. */
  async function adapterFor(engine: AttentionParams['engine']) {
    return engine === 'cpu' || engine === 'wasm' ? undefined : keeper.get();
  }

  /** `auto` takes WebGPU on hardware; a software adapter is slower than WebAssembly. */
  const takesDevice = (engine: AttentionParams['engine'], adapter: AdapterInfo | undefined) =>
    engine === 'webgpu' || adapter?.isFallback === false;

  function whyWasm(adapter: AdapterInfo | undefined): string {
    return adapter === undefined
      ? 'no WebGPU adapter in this browser: WebAssembly ran on the CPU instead'
      : `the only WebGPU adapter here is software (${adapter.architecture || adapter.vendor}), which is slower than WebAssembly on the CPU: that ran instead; engine webgpu runs the kernel all the same`;
  }

  function runBy(
    engine: AttentionParams['engine'],
    context: RunContext,
    adapter: AdapterInfo | undefined,
  ): Promise<AttentionRun> {
    if (engine === 'cpu') return runOnCpu(context);
    if (engine === 'wasm') return runOnWasm(context, undefined, undefined, lanes, roofs);
    if (engine === 'webgpu' && adapter === undefined) throw noAdapter();
    if (takesDevice(engine, adapter)) return runOnGpu(context);
    return runOnWasm(context, adapter, whyWasm(adapter), lanes, roofs);
  }

  async function runOnGpu(context: RunContext): Promise<AttentionRun> {
    const notes: string[] = [];
    const run = await keeper.withRecovery(
      (device) => runOnDevice(device, { plans, roofs }, context),
      (reason) => notes.push(`${REPEATED}: ${reason}`),
    );
    return { ...run, result: { ...run.result, notes: [...notes, ...run.result.notes] } };
  }

  async function compose(
    params: ComposeParams,
    signal: AbortSignal,
    report: OnProgress,
  ): Promise<ComposeResult> {
    report({ fraction: undefined, phase: 'inputs' });
    const gpu = await abortable(adapterFor(params.engine), signal);
    return runCompose(params, {
      runCall: (context) => runBy(params.engine, context, gpu?.info),
      maxBufferBytes: gpu?.info.maxBufferBytes ?? CPU_TENSOR_BYTES,
      signal,
      report,
    });
  }

  async function recurrent(
    params: RecurrentParams,
    signal: AbortSignal,
    report: OnProgress,
  ): Promise<RecurrentResult> {
    const { engine } = params;
    if (engine === 'cpu') return runRecurrentOnCpu(params, undefined, signal, report);
    if (engine === 'wasm') {
      return runRecurrentOnWasm(params, undefined, undefined, signal, report, roofs, lanes);
    }
    if (isTestTimeRule(params.rule)) {
      if (engine === 'webgpu') {
        throw new Error(
          `engine webgpu was asked for, but rule ${params.rule.type} has no kernel; choose engine auto or cpu`,
        );
      }
      const note = `rule ${params.rule.type} has no kernel: the CPU reference ran in f64`;
      return runRecurrentOnCpu(params, note, signal, report);
    }
    const adapter = (await abortable(keeper.get(), signal))?.info;
    if (adapter === undefined && engine === 'webgpu') throw noAdapter();
    if (!takesDevice(engine, adapter) && runsOnWasm(params.rule)) {
      return runRecurrentOnWasm(params, adapter, whyWasm(adapter), signal, report, roofs, lanes);
    }
    if (adapter === undefined) {
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

  async function decode(
    params: DecodeParams,
    signal: AbortSignal,
    report: OnProgress,
  ): Promise<DecodeResult> {
    const { engine } = params;
    if (engine === 'cpu') return runDecode(params, decodeOnCpu, signal, report);
    if (engine === 'wasm') {
      return runDecode(params, decodeOnWasm(undefined, undefined, lanes, roofs), signal, report);
    }
    const adapter = (await abortable(keeper.get(), signal))?.info;
    if (engine === 'webgpu' && adapter === undefined) throw noAdapter();
    if (!takesDevice(engine, adapter)) {
      return runDecode(
        params,
        decodeOnWasm(adapter, whyWasm(adapter), lanes, roofs),
        signal,
        report,
      );
    }
    const notes: string[] = [];
    const result = await keeper.withRecovery(
      async (device) => {
        report({ fraction: undefined, phase: 'plan' });
        const runner = await decodeOnDevice(device, { plans, roofs }, params.shape, signal);
        return runDecode(params, runner, signal, report);
      },
      (reason) => notes.push(`${REPEATED}: ${reason}`),
    );
    return { ...result, notes: [...notes, ...result.notes] };
  }

  async function run(
    call: KernelCall,
    signal: AbortSignal,
    report: OnProgress,
  ): Promise<KernelOutput> {
    switch (call.kind) {
      case 'attention':
        return { kind: 'attention', value: await attention(call, signal, report, true) };
      case 'compose':
        return { kind: 'compose', value: await compose(call.params, signal, report) };
      case 'recurrent':
        return { kind: 'recurrent', value: await recurrent(call.params, signal, report) };
      case 'decode':
        return { kind: 'decode', value: await decode(call.params, signal, report) };
    }
  }

  async function ensureResident(
    call: AttentionCall,
    signal: AbortSignal,
    report: OnProgress = () => undefined,
  ): Promise<string> {
    const key = residentKey(call);
    if (!residents.has(key)) await attention(call, signal, report, false);
    return key;
  }

  async function mapBaseOf(
    call: ResidentCall,
    batch: number,
    head: number,
    signal: AbortSignal,
    report: OnProgress,
  ): Promise<MapBase> {
    const gpu = call.device === undefined ? undefined : await keeper.get();
    if (gpu !== undefined && call.device !== undefined) {
      const onFraction = (fraction: number) => report({ fraction, phase: 'map' });
      return mapBaseOnDevice(gpu, call.device, batch, head, { signal, onFraction });
    }
    return reduceMap(attentionWeights(call.inputs, call.lse)(batch, head), signal, report);
  }

  /** Work that holds tensors on the device, done again where the device was lost under it. */
  async function withDevice<T>(work: () => Promise<T>): Promise<T> {
    // Without an adapter there is no device to lose.
    return (await keeper.get()) === undefined ? work() : keeper.withRecovery(work, () => undefined);
  }

  async function tensorsOf(resident: ResidentCall, { params }: AttentionCall): Promise<Blob> {
    const { inputs, lse, device, tokens } = resident;
    const gpu = device === undefined ? undefined : await keeper.get();
    const output = resident.output ?? (gpu && (await device?.read(gpu))?.output);
    if (output === undefined) throw new Error('the device lost the output: run the cell again');
    return tensorFile(params, inputs, { output, lse }, tokens);
  }

  return {
    adapter: async (): Promise<AdapterInfo | undefined> => (await keeper.get())?.info,
    run: (jobId, call, onProgress) =>
      jobs.run(jobId, (signal) =>
        withReports(onProgress, (report) => run(call, signal, report)).catch((error: unknown) => {
          throw asShortage(error, call.kind);
        }),
      ),
    mapBase: (jobId, call, batch, head, onProgress = () => undefined) =>
      jobs.run(jobId, async (signal) => {
        if (call.kind !== 'attention') {
          return withReports(onProgress, (report) =>
            weightMaps.base(call, batch, head, signal, report),
          );
        }
        checkHead(call.params, batch, head);
        return withReports(onProgress, (report) =>
          withDevice(async () => {
            const key = await ensureResident(call, signal, report);
            return residents.use(key, (each) => mapBaseOf(each, batch, head, signal, report));
          }),
        );
      }),
    mapWindow: (jobId, call, batch, head, rect: MapRect): Promise<MapWindow> =>
      jobs.run(jobId, async (signal) => {
        if (call.kind !== 'attention') {
          return weightMaps.window(call, batch, head, rect, signal);
        }
        checkHead(call.params, batch, head);
        const key = await ensureResident(call, signal);
        return residents.use(key, async ({ inputs, lse }) =>
          mapWindow(inputs, lse, batch, head, rect),
        );
      }),
    mapScore: (jobId, call, batch, head, element) =>
      jobs.run(jobId, async (signal) => {
        checkHead(call.params, batch, head);
        const key = await ensureResident(call, signal);
        return residents.use(key, async ({ inputs, lse }) =>
          elementScore(inputs, lse, batch, head, element),
        );
      }),
    mapBlocks: (jobId, call, batch, head, tile) =>
      jobs.run(jobId, async (signal) => {
        const { params } = call;
        checkHead(params, batch, head);
        const listOf = (program: AttentionProgram) =>
          buildBlockList(
            program,
            params.shape,
            batch,
            headsOfList(params.shape, tile.engine, head),
            tile.blockQueries,
            tile.blockKeys,
          );
        // Only a selection depends on the tensors.
        if (params.select.type === 'none') return listOf(makeProgram(params));
        const key = await ensureResident(call, signal);
        return residents.use(key, async ({ inputs }) => listOf(inputs.program));
      }),
    tensors: (jobId, call, onProgress) =>
      jobs.run(jobId, (signal) =>
        withReports(onProgress, (report) =>
          withDevice(async () => {
            const key = await ensureResident(call, signal, report);
            return residents.use(key, (each) => tensorsOf(each, call));
          }),
        ),
      ),
    cancel: (jobId) => jobs.cancel(jobId),
    loseDevice: () => keeper.lose(),
  };
}

function checkHead({ shape }: AttentionParams, batch: number, head: number): void {
  checkIndex('batch', batch, shape.batch);
  checkIndex('head', head, shape.queryHeads);
}
