import { countVisiblePairs } from '../attention/block-list';
import { referenceSteps } from '../attention/reference';
import type { AttentionInputs, AttentionResult } from '../attention/types';
import type { OnProgress } from '../run/worker-api';
import type { AttentionParams } from '../spec/kinds/attention';
import { driveSteps } from './jobs';
import { type PackedBlockList, packBlockList } from './packed-list';
import type { ResidentCall } from './residents';

const CPU_BLOCK = 64;

export interface RunContext {
  readonly params: AttentionParams;
  readonly inputs: AttentionInputs;
  readonly signal: AbortSignal;
  readonly report: OnProgress;
  /** False where only the tensors are wanted: one run, no roof. */
  readonly isTimed: boolean;
}

export interface AttentionRun {
  readonly result: AttentionResult;
  readonly resident: ResidentCall;
}

/** Useful arithmetic of a run, and how much of the score matrix it covers. */
export function densityOf({ params, inputs }: RunContext, list: PackedBlockList) {
  const { batch, queries, keys, headSize, queryHeads } = params.shape;
  const { pairs, isEstimate } = countVisiblePairs(inputs.program, params.shape);
  return {
    flops: 4 * headSize * pairs,
    elements: pairs / (batch * queryHeads * queries * keys),
    isEstimate,
    blocks: (list.full + list.partial) / list.total,
  };
}

export const listSummary = (list: PackedBlockList, blockQueries: number, blockKeys: number) => ({
  blockQueries,
  blockKeys,
  full: list.full,
  partial: list.partial,
  total: list.total,
});

/** Runs the f64 reference on the CPU, once. `engineNote` says why where WebGPU was allowed. */
export async function runOnCpu(
  context: RunContext,
  engineNote: string | undefined,
): Promise<AttentionRun> {
  const { params, inputs, signal, report } = context;
  const start = performance.now();
  const { lse } = await driveSteps(referenceSteps(inputs), signal, (fraction) =>
    report({ fraction, phase: 'timing' }),
  );
  const seconds = (performance.now() - start) / 1000;
  const list = packBlockList(inputs, CPU_BLOCK, CPU_BLOCK, params.shape.queryHeads);
  const { flops, ...density } = densityOf(context, list);
  return {
    result: {
      params,
      engine: 'cpu',
      engineNote,
      adapter: undefined,
      plan: undefined,
      error: undefined,
      timing: {
        medianSeconds: seconds,
        samplesSeconds: [seconds],
        warmupRuns: 0,
        clock: 'performance.now',
        flops,
        gigaflopsPerSecond: flops / seconds / 1e9,
      },
      roof: undefined,
      percentOfRoof: undefined,
      density,
      blockList: listSummary(list, CPU_BLOCK, CPU_BLOCK),
      notes: ['the CPU reference computes in f64 and runs once; it is not a tuned CPU kernel'],
    },
    resident: { inputs, lse, device: undefined },
  };
}
