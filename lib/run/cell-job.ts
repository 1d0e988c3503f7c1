import { isGenerated } from '../spec/kinds/workload';
import type { CellOf } from '../spec/notebook';
import type { RatedLoad } from '../workload/at-rate';
import type { JobCell, KernelKind } from './job-kinds';
import type { SweepSubjectData } from './sweep-service';
import type { CellOutput, CellResult } from './types';
import type { KernelApi, KernelCall, ModelApi, OnProgress, SimulationApi } from './worker-api';
import type { CallOptions, WorkerClient } from './worker-client';

export interface Workers {
  readonly kernel: WorkerClient<KernelApi>;
  readonly model: WorkerClient<ModelApi>;
  readonly simulation: WorkerClient<SimulationApi>;
}

/** A cell that another one reads, with its result and the file bound to it. */
export interface JobInput {
  readonly cell: JobCell;
  readonly result: CellResult;
  readonly file: File | undefined;
}

/**
 * One run of a cell in its worker.
 *
 * @param inputs what `neededInputs` names, in that order
 * @param file the file bound to the cell, where its params need one
 */
export async function runCellJob(
  cell: JobCell,
  inputs: readonly JobInput[],
  file: File | undefined,
  workers: Workers,
  options: CallOptions,
): Promise<CellOutput> {
  switch (cell.kind) {
    case 'attention':
    case 'compose':
    case 'recurrent':
    case 'decode':
      return workers.kernel.call(
        (api, jobId, onProgress) => api.run(jobId, kernelCall(cell, file), onProgress),
        options,
      );
    case 'model':
      return {
        kind: 'model',
        value: await workers.model.call(
          (api, jobId, onProgress) => api.model(jobId, cell.params, file, onProgress),
          options,
        ),
      };
    case 'cache': {
      const input = inputs[0]?.result.output;
      if (input !== undefined && input.kind !== 'model')
        throw new Error(`needs a model as its input (found ${input.kind})`);
      return {
        kind: 'cache',
        value: await workers.model.call(
          (api, jobId, onProgress) =>
            api.cache(jobId, cell.params, input?.value.params, inputs[0]?.file, onProgress),
          options,
        ),
      };
    }
    case 'recall-gap':
      return {
        kind: 'recall-gap',
        value: await workers.model.call(
          (api, jobId, onProgress) => api.recallGap(jobId, cell.params, onProgress),
          options,
        ),
      };
    case 'speculate': {
      const input = inputs[0]?.result.output;
      if (input !== undefined && input.kind !== 'model')
        throw new Error(`needs a model as its input (found ${input.kind})`);
      return {
        kind: 'speculate',
        value: await workers.model.call(
          (api, jobId, onProgress) =>
            api.speculate(jobId, cell.params, input?.value.params, inputs[0]?.file, onProgress),
          options,
        ),
      };
    }
    case 'workload':
      return {
        kind: 'workload',
        value: await workers.simulation.call(
          (api, jobId, onProgress) => api.workload(jobId, cell.params, file, onProgress),
          options,
        ),
      };
    case 'serve': {
      const input = inputs[0]?.result.output;
      if (input?.kind !== 'workload')
        throw new Error(`needs one workload as its input (found ${input?.kind ?? 'none'})`);
      return {
        kind: 'serve',
        value: await workers.simulation.call(
          (api, jobId, onProgress) => api.serve(jobId, cell.params, input.value, file, onProgress),
          options,
        ),
      };
    }
    case 'check': {
      // The checks of both labs are much to load for a page that has none.
      const { listedCheck } = await import('./check-list');
      const { lab } = listedCheck(cell.params.check);
      const call = (api: Pick<SimulationApi, 'check'>, jobId: number, onProgress: OnProgress) =>
        api.check(jobId, cell.params, onProgress);
      return {
        kind: 'check',
        value: await (lab === 'cache'
          ? workers.model.call(call, options)
          : workers.simulation.call(call, options)),
      };
    }
    case 'sweep': {
      const subject = sweepSubjectOf(inputs);
      return {
        kind: 'sweep',
        value: await workers.simulation.call(
          (api, jobId, onProgress) => api.sweep(jobId, subject, cell.params, onProgress),
          options,
        ),
      };
    }
    case 'plan': {
      const subject = sweepSubjectOf(inputs);
      return {
        kind: 'plan',
        value: await workers.simulation.call(
          (api, jobId, onProgress) => api.plan(jobId, subject, cell.params, onProgress),
          options,
        ),
      };
    }
  }
}

/** A sweep or a plan search repeats a serve cell, so it reads that cell's params and load and not its result. */
function sweepSubjectOf(inputs: readonly JobInput[]): SweepSubjectData {
  const [serve, load] = inputs;
  if (serve?.cell.kind !== 'serve' || load?.cell.kind !== 'workload')
    throw new Error(`needs one serve cell as its input (found ${serve?.cell.kind ?? 'none'})`);
  return {
    params: serve.cell.params,
    load: ratedLoadOf(load),
    tables: serve.file,
  };
}

function ratedLoadOf({ cell, result }: JobInput): RatedLoad {
  if (cell.kind === 'workload' && isGenerated(cell.params.source))
    return { type: 'generator', params: cell.params };
  if (result.output.kind !== 'workload')
    throw new Error(`needs a workload (found ${result.output.kind})`);
  return { type: 'trace', workload: result.output.value, seed: result.output.value.seed };
}

/** What the kernel worker is told of a cell and the file that it reads. */
export function kernelCall(
  { kind, params }: CellOf<KernelKind>,
  file: File | undefined,
): KernelCall {
  return { kind, params, file } as KernelCall;
}
