import { checkShapeLimits } from '../../attention/checks';
import type { AttentionResult } from '../../attention/types';
import { callInputs, describeInputs } from '../../gpu/call-inputs';
import { decodeOnCpu } from '../../gpu/decode-on-cpu';
import { decodeOnWasm } from '../../gpu/decode-on-wasm';
import { recallModel } from '../../gpu/model-inputs';
import { runCompose } from '../../gpu/run-compose';
import type { AttentionRun, RunContext } from '../../gpu/run-context';
import { runDecode } from '../../gpu/run-decode';
import { runOnCpu } from '../../gpu/run-on-cpu';
import { runOnWasm } from '../../gpu/run-on-wasm';
import { runRecurrentOnCpu } from '../../gpu/run-recurrent-on-cpu';
import { runRecurrentOnWasm } from '../../gpu/run-recurrent-on-wasm';
import { selectKeys } from '../../gpu/select-keys';
import { readHeadless } from '../../run/headless';
import type { AttentionCall, KernelApi, KernelCall, KernelOutput } from '../../run/worker-api';
import { NOTEBOOK_VERSION } from '../../spec/notebook';
import { pathOf } from './bound-file';
import { openRunnerPage, type RunnerPage } from './browser-page';
import { readRecallFile } from './recall-file';

const loadRecall = recallModel(readRecallFile);
const CPU_TENSOR_BYTES = 2 ** 30;

async function attentionHere(call: AttentionCall): Promise<AttentionResult> {
  const { params } = call;
  const issues = checkShapeLimits(params.shape, CPU_TENSOR_BYTES);
  if (issues.length > 0) throw new Error(issues.join('; '));
  const { signal } = new AbortController();
  const report = () => undefined;
  const made = await callInputs(call, signal, report, loadRecall);
  const selected = await selectKeys(params, made.inputs, signal, report);
  const context = { params, ...selected, signal, report, isTimed: true };
  const { result } = await runCallHere(context);
  return describeInputs(result, made);
}

function runCallHere(context: RunContext): Promise<AttentionRun> {
  return context.params.engine === 'wasm'
    ? runOnWasm(context, undefined, undefined)
    : runOnCpu(context);
}

/** A call in this process, or undefined where its engine is the page's. */
async function runHere(call: KernelCall): Promise<KernelOutput | undefined> {
  const { engine } = call.params;
  switch (call.kind) {
    case 'attention':
      if (engine !== 'cpu' && engine !== 'wasm') return undefined;
      return { kind: 'attention', value: await attentionHere(call) };
    case 'compose': {
      if (engine !== 'cpu' && engine !== 'wasm') return undefined;
      const value = await runCompose(call.params, {
        runCall: runCallHere,
        maxBufferBytes: CPU_TENSOR_BYTES,
        signal: new AbortController().signal,
        report: () => undefined,
      });
      return { kind: 'compose', value };
    }
    case 'recurrent': {
      if (engine !== 'cpu' && engine !== 'wasm') return undefined;
      const { signal } = new AbortController();
      const report = () => undefined;
      const value =
        engine === 'cpu'
          ? await runRecurrentOnCpu(call.params, undefined, signal, report)
          : await runRecurrentOnWasm(call.params, undefined, undefined, signal, report);
      return { kind: 'recurrent', value };
    }
    case 'decode': {
      if (engine !== 'cpu' && engine !== 'wasm') return undefined;
      const runner = engine === 'cpu' ? decodeOnCpu : decodeOnWasm(undefined, undefined, undefined);
      const { signal } = new AbortController();
      const value = await runDecode(call.params, runner, signal, () => undefined);
      return { kind: 'decode', value };
    }
  }
}

/** One cell run in the built page. */
async function runInPage(
  page: RunnerPage,
  { kind, params, file }: KernelCall,
): Promise<KernelOutput> {
  const cells = [{ id: kind, kind, params }];
  const outcomes = readHeadless(
    await page.run(JSON.stringify({ version: NOTEBOOK_VERSION, cells }), file && pathOf(file)),
  );
  const outcome = outcomes.get(kind);
  const output = outcome?.result?.output;
  if (outcome?.state !== 'done' || output === undefined)
    throw new Error(outcome?.message ?? `the page left the cell ${outcome?.state ?? 'out'}`);
  if (output.kind !== kind) throw new Error(`the page sent a ${output.kind} result`);
  return output as KernelOutput;
}

/** Kernels for the command line: engines `cpu` and `wasm` in this process, the others in the built page. */
export interface CommandLineKernels {
  readonly api: KernelApi;
  /** Ends the browser, if one was started. */
  close(): Promise<void>;
}

export function createKernels(): CommandLineKernels {
  let opened: Promise<RunnerPage> | undefined;
  const notHere = (what: string) => () => Promise.reject(new Error(`the command line ${what}`));
  return {
    api: {
      adapter: async () => undefined,
      run: async (_jobId, call) => {
        const output = await runHere(call);
        if (output !== undefined) return output;
        opened ??= openRunnerPage();
        return runInPage(await opened, call);
      },
      mapBase: notHere('draws no maps'),
      mapWindow: notHere('draws no maps'),
      mapBlocks: notHere('draws no maps'),
      mapScore: notHere('draws no maps'),
      tensors: notHere('saves no tensors'),
      cancel: () => undefined,
    },
    async close() {
      const page = await opened?.catch(() => undefined);
      await page?.close();
    },
  };
}
