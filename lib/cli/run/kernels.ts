import { checkShapeLimits } from '../../attention/checks';
import { makeInputs } from '../../attention/inputs';
import type { AttentionResult } from '../../attention/types';
import { runOnCpu } from '../../gpu/run-on-cpu';
import { runOnWasm } from '../../gpu/run-on-wasm';
import { runRecurrentOnCpu } from '../../gpu/run-recurrent-on-cpu';
import { selectKeys } from '../../gpu/select-keys';
import { readHeadless } from '../../run/headless';
import type { CellOutput } from '../../run/types';
import type { KernelApi } from '../../run/worker-api';
import type { AttentionParams } from '../../spec/kinds/attention';
import { NOTEBOOK_VERSION } from '../../spec/notebook';
import { openRunnerPage, type RunnerPage } from './browser-page';

const CPU_TENSOR_BYTES = 2 ** 30;

async function attentionHere(params: AttentionParams): Promise<AttentionResult> {
  const issues = checkShapeLimits(params.shape, CPU_TENSOR_BYTES);
  if (issues.length > 0) throw new Error(issues.join('; '));
  const { signal } = new AbortController();
  const report = () => undefined;
  const selected = await selectKeys(params, makeInputs(params), signal, report);
  const context = { params, ...selected, signal, report, isTimed: true };
  const { result } = await (params.engine === 'wasm'
    ? runOnWasm(context, undefined, undefined)
    : runOnCpu(context));
  return result;
}

/** One cell run in the built page. */
async function runInPage(
  page: RunnerPage,
  kind: 'attention' | 'recurrent',
  params: unknown,
): Promise<CellOutput> {
  const cells = [{ id: kind, kind, params }];
  const outcomes = readHeadless(
    await page.run(JSON.stringify({ version: NOTEBOOK_VERSION, cells })),
  );
  const outcome = outcomes.get(kind);
  const output = outcome?.result?.output;
  if (outcome?.state !== 'done' || output === undefined)
    throw new Error(outcome?.message ?? `the page left the cell ${outcome?.state ?? 'out'}`);
  return output;
}

const wrongOutput = (output: CellOutput) => new Error(`the page sent a ${output.kind} result`);

/** Kernels for the command line: engines `cpu` and `wasm` in this process, the others in the built page. */
export interface CommandLineKernels {
  readonly api: KernelApi;
  /** Ends the browser, if one was started. */
  close(): Promise<void>;
}

export function createKernels(): CommandLineKernels {
  let opened: Promise<RunnerPage> | undefined;
  const noMaps = () => Promise.reject(new Error('the command line draws no maps'));
  return {
    api: {
      adapter: async () => undefined,
      attention: async (_jobId, params) => {
        if (params.engine === 'cpu' || params.engine === 'wasm') return attentionHere(params);
        opened ??= openRunnerPage();
        const output = await runInPage(await opened, 'attention', params);
        if (output.kind !== 'attention') throw wrongOutput(output);
        return output.value;
      },
      recurrent: async (_jobId, params) => {
        const { signal } = new AbortController();
        if (params.engine === 'cpu') {
          return runRecurrentOnCpu(params, undefined, signal, () => undefined);
        }
        opened ??= openRunnerPage();
        const output = await runInPage(await opened, 'recurrent', params);
        if (output.kind !== 'recurrent') throw wrongOutput(output);
        return output.value;
      },
      mapBase: noMaps,
      mapWindow: noMaps,
      mapBlocks: noMaps,
      mapScore: noMaps,
      cancel: () => undefined,
    },
    async close() {
      const page = await opened?.catch(() => undefined);
      await page?.close();
    },
  };
}
