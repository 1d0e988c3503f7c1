import { checkShapeLimits } from '../../attention/checks';
import { makeInputs } from '../../attention/inputs';
import type { AttentionResult } from '../../attention/types';
import { runOnCpu } from '../../gpu/run-on-cpu';
import { runOnWasm } from '../../gpu/run-on-wasm';
import { selectKeys } from '../../gpu/select-keys';
import { readHeadless } from '../../run/headless';
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

async function attentionInPage(
  page: RunnerPage,
  params: AttentionParams,
): Promise<AttentionResult> {
  const cells = [{ id: 'attention', kind: 'attention', params }];
  const outcomes = readHeadless(
    await page.run(JSON.stringify({ version: NOTEBOOK_VERSION, cells })),
  );
  const outcome = outcomes.get('attention');
  const output = outcome?.result?.output;
  if (outcome?.state !== 'done' || output?.kind !== 'attention')
    throw new Error(outcome?.message ?? `the page left the cell ${outcome?.state ?? 'out'}`);
  return output.value;
}

/** Attention for the command line: engines `cpu` and `wasm` in this process, the others in the built page. */
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
        return attentionInPage(await opened, params);
      },
      mapBase: noMaps,
      mapWindow: noMaps,
      cancel: () => undefined,
    },
    async close() {
      const page = await opened?.catch(() => undefined);
      await page?.close();
    },
  };
}
