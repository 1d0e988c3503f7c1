import { countVisiblePairs } from '../attention/block-list';
import type {
  AttentionInputs,
  AttentionOutput,
  AttentionResult,
  SelectionSummary,
} from '../attention/types';
import type { OnProgress } from '../run/worker-api';
import type { AttentionParams } from '../spec/kinds/attention';
import type { PackedBlockList } from './packed-list';
import type { ResidentCall } from './residents';

/** Arithmetic of the comparison with the f64 reference: about 0.1 s. */
export const CHECK_FLOPS = 1e8;
export const WARMUP_RUNS = 1;

export interface RunContext {
  readonly params: AttentionParams;
  readonly inputs: AttentionInputs;
  readonly signal: AbortSignal;
  readonly report: OnProgress;
  readonly selection: SelectionSummary | undefined;
  /** False where only the tensors are wanted: one run, no roof. */
  readonly isTimed: boolean;
}

export interface AttentionRun {
  readonly result: AttentionResult;
  readonly output: AttentionOutput;
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
