import type { AttentionResult } from '../../../lib/attention/types';
import { createSession } from '../../../lib/run/session';
import type {
  AttentionCall,
  Cancellable,
  KernelApi,
  KernelCall,
  KernelOutput,
  ModelApi,
  SimulationApi,
} from '../../../lib/run/worker-api';
import type { CallOptions, RemoteApi, WorkerClient } from '../../../lib/run/worker-client';
import { abortError } from '../../../lib/run/worker-client';
import type { ServeResult } from '../../../lib/serving/types';
import type { AttentionParams } from '../../../lib/spec/kinds/attention';
import type { CacheParams } from '../../../lib/spec/kinds/cache';
import type { ModelParams } from '../../../lib/spec/kinds/model';
import type { RecallGapParams } from '../../../lib/spec/kinds/recall-gap';
import type { ServeParams } from '../../../lib/spec/kinds/serve';
import type { SpeculateParams } from '../../../lib/spec/kinds/speculate';
import type { WorkloadParams } from '../../../lib/spec/kinds/workload';
import { type Notebook, notebookSchema } from '../../../lib/spec/notebook';
import type { Workload } from '../../../lib/workload/types';

/** A call that a fake worker has not answered. */
export interface PendingCall {
  readonly method: string;
  readonly args: readonly unknown[];
  readonly options: CallOptions;
  /** The right answer to the call. */
  readonly answer: () => unknown;
  readonly isSettled: () => boolean;
  reply(): void;
  fail(error: Error): void;
}

export interface FakeClient<Api extends Cancellable> extends WorkerClient<Api> {
  /** Calls in the order in which they came, answered ones too. */
  readonly calls: PendingCall[];
  readonly pending: () => readonly PendingCall[];
  /** What an abort does: reject at once, or nothing until the test answers. */
  onAbort: 'reject' | 'wait';
  isDisposed: boolean;
}

function createFakeClient<Api extends Cancellable>(
  name: string,
  answers: Readonly<Record<string, (...args: never[]) => unknown>>,
): FakeClient<Api> {
  const calls: PendingCall[] = [];
  let jobId = 0;
  const client: FakeClient<Api> = {
    name,
    calls,
    pending: () => calls.filter((call) => !call.isSettled()),
    onAbort: 'reject',
    isDisposed: false,
    call<T>(
      run: (api: RemoteApi<Api>, id: number, onProgress: never) => Promise<T>,
      options: CallOptions = {},
    ): Promise<T> {
      const api = Object.fromEntries(
        Object.entries(answers).map(([method, answer]) => [
          method,
          (...args: unknown[]) =>
            new Promise((resolve, reject) => {
              let isSettled = false;
              const settle = (finish: () => void) => {
                isSettled = true;
                finish();
              };
              const call: PendingCall = {
                method,
                args,
                options,
                answer: () => answer(...(args as never[])),
                isSettled: () => isSettled,
                reply: () => settle(() => resolve(call.answer())),
                fail: (error) => settle(() => reject(error)),
              };
              options.signal?.addEventListener('abort', () => {
                if (client.onAbort === 'reject' && !isSettled) call.fail(abortError('cancelled'));
              });
              calls.push(call);
            }),
        ]),
      );
      return run(api as unknown as RemoteApi<Api>, ++jobId, (() => undefined) as never);
    },
    dispose() {
      client.isDisposed = true;
    },
  };
  return client;
}

/** A workload that tells by its label what it was made from. */
export function fakeWorkload(params: WorkloadParams, file?: File): Workload {
  return {
    arrivalSeconds: new Float64Array([0, 1]),
    promptTokens: new Int32Array([10, 20]),
    outputTokens: new Int32Array([3, 4]),
    label: JSON.stringify([params, file?.name]),
    source: 'fake',
    seed: params.seed,
    notes: [],
  };
}

/** A serve result that tells by its first note what it was made from. */
export function fakeServe(params: ServeParams, workload: Workload): ServeResult {
  return {
    metrics: { iterations: 1, requests: 2 },
    lanes: [],
    requests: { outputTokens: workload.outputTokens },
    tbt: { values: new Float64Array(), weights: new Float64Array() },
    costModel: { kind: 'roofline', label: 'a fake roofline', source: 'fake' },
    notes: [JSON.stringify([params, workload.label])],
    wallSeconds: 0.001,
  } as unknown as ServeResult;
}

export function fakeAttention(params: AttentionParams): AttentionResult {
  return {
    params,
    engine: 'webgpu',
    blockList: { blockQueries: 32, blockKeys: 16, full: 1, partial: 1, total: 4 },
    adapter: undefined,
    timing: {
      medianSeconds: 0.5,
      samplesSeconds: [0.5],
      warmupRuns: 1,
      clock: 'performance.now',
      flops: 1e9,
      gigaflopsPerSecond: 2,
    },
    notes: [],
  } as unknown as AttentionResult;
}

/** A kernel worker that knows attention only. */
export function fakeKernel(call: KernelCall): KernelOutput {
  if (call.kind !== 'attention') throw new Error(`no fake for kind ${call.kind}`);
  return { kind: 'attention', value: fakeAttention(call.params) };
}

export function createFakes() {
  const kernel = createFakeClient<KernelApi>('kernel', {
    run: (_job: number, call: KernelCall) => fakeKernel(call),
    mapBase: (_job: number, _call: AttentionCall, batch: number, head: number) => ({
      rows: batch,
      columns: head,
      max: new Float32Array(4),
    }),
    mapWindow: (_job: number, _call: AttentionCall, batch: number, head: number) => ({
      queryStart: batch,
      keyStart: head,
    }),
    tensors: () => new Blob(['tensors']),
    mapScore: () => ({ score: 1, lse: 2 }),
    mapBlocks: () => ({ blockQueries: 32, blockKeys: 16 }),
  });
  const simulation = createFakeClient<SimulationApi>('simulation', {
    workload: (_job: number, params: WorkloadParams, file?: File) => fakeWorkload(params, file),
    serve: (_job: number, params: ServeParams, workload: Workload) => fakeServe(params, workload),
  });
  const model = createFakeClient<ModelApi>('model', {
    model: (_job: number, params: ModelParams) => ({ params, engine: 'reference' }),
    cache: (_job: number, params: CacheParams) => ({ params, engine: 'reference' }),
    recallGap: (_job: number, params: RecallGapParams) => ({ params }),
    speculate: (_job: number, params: SpeculateParams) => ({ params, engine: 'wasm' }),
  });
  return { kernel, model, simulation };
}

/** Lets everything that is already decided happen: only promises, no timers. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 60; i++) await Promise.resolve();
}

export function makeNotebook(cells: readonly unknown[]): Notebook {
  return notebookSchema.parse({ cells });
}

export function createFakeSession(notebook: Notebook, options: { cacheBytes?: number } = {}) {
  const fakes = createFakes();
  let milliseconds = Date.UTC(2026, 0, 2, 3, 4, 5);
  const session = createSession(notebook, {
    ...fakes,
    ...options,
    appVersion: '9.9.9',
    now: () => {
      milliseconds += 10;
      return milliseconds;
    },
    hash: async (text) => `hash of ${text}`,
  });
  return { session, ...fakes };
}

/** The notebook with one cell's params replaced in part. */
export function withParams(notebook: Notebook, cellId: string, params: object): Notebook {
  return {
    ...notebook,
    cells: notebook.cells.map((cell) =>
      cell.id === cellId
        ? ({ ...cell, params: { ...cell.params, ...params } } as typeof cell)
        : cell,
    ),
  };
}
