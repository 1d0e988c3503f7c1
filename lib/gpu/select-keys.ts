import { maskedOutputErrorSteps, selectionStatsSteps } from '../attention/select/evaluate';
import { selectHead } from '../attention/select/select-head';
import type { HeadTensors, Selection } from '../attention/select/types';
import { withSelections } from '../attention/selected-program';
import type { AttentionInputs, SelectionSummary } from '../attention/types';
import type { OnProgress } from '../run/worker-api';
import type { AttentionParams } from '../spec/kinds/attention';
import { createRowProducts } from '../wasm/matrix-products';
import { driveSteps, yieldToMessages } from './jobs';

/** Pairs of the heads that are compared with dense attention, at least one head. */
const COMPARED_PAIRS = 2 ** 23;
/** Rows of a head whose output is compared. */
const COMPARED_ROWS = 64;

export interface SelectedInputs {
  readonly inputs: AttentionInputs;
  readonly selection: SelectionSummary | undefined;
}

/** Runs the selection of the params over every head; the inputs come back with their mask narrowed. */
export async function selectKeys(
  params: AttentionParams,
  inputs: AttentionInputs,
  signal: AbortSignal,
  report: OnProgress,
): Promise<SelectedInputs> {
  const { select, shape } = params;
  if (select.type === 'none') return { inputs, selection: undefined };
  const { batch, queryHeads, queries, keys } = shape;
  const selections: Selection[] = [];
  let seconds = 0;
  for (let i = 0; i < batch * queryHeads; i++) {
    report({ fraction: i / (batch * queryHeads), phase: 'selection' });
    await yieldToMessages();
    signal.throwIfAborted();
    const start = performance.now();
    const selection = selectHead(headTensors(params, inputs, i), select, createRowProducts);
    seconds += (performance.now() - start) / 1000;
    if (selection !== undefined) selections.push(selection);
  }
  const heads: SelectionSummary['heads'][number][] = [];
  const compared = Math.max(1, Math.floor(COMPARED_PAIRS / (queries * keys)));
  for (let head = 0; head < Math.min(queryHeads, compared); head++) {
    const look = <T>(steps: Generator<number, T>, from: number) =>
      driveSteps(steps, signal, (fraction) =>
        report({
          fraction: (head + (from + fraction) / 2) / Math.min(queryHeads, compared),
          phase: 'comparing with dense',
        }),
      );
    await yieldToMessages();
    signal.throwIfAborted();
    const tensors = headTensors(params, inputs, head);
    const selection = selections[head] as Selection;
    const { density, massRecall } = await look(selectionStatsSteps(tensors, selection), 0);
    const rowStride = Math.max(1, Math.floor(queries / COMPARED_ROWS));
    const outputError = await look(maskedOutputErrorSteps(tensors, selection, { rowStride }), 0.5);
    heads.push({ head, pattern: selection.pattern, density, massRecall, outputError });
  }
  return {
    inputs: { ...inputs, program: withSelections(inputs.program, shape, selections) },
    selection: {
      method: select.type,
      seconds,
      flops: selections.reduce((sum, { selectionFlops }) => sum + selectionFlops, 0),
      patterns: selections.map(({ pattern }) => pattern),
      ...(select.type === 'choice'
        ? { choices: selections.flatMap(({ choice }) => choice ?? []) }
        : {}),
      heads,
    },
  };
}

/** Q of one query head and K, V of its KV head. */
function headTensors(
  { variant }: AttentionParams,
  { shape, query, key, value }: AttentionInputs,
  batchHead: number,
): HeadTensors {
  const { queryHeads, kvHeads, queries, keys, headSize } = shape;
  const batch = Math.floor(batchHead / queryHeads);
  const kvHead = Math.floor((batchHead % queryHeads) / (queryHeads / kvHeads));
  const part = (values: Float32Array, index: number, rows: number) =>
    values.subarray(index * rows * headSize, (index + 1) * rows * headSize);
  return {
    query: part(query, batchHead, queries),
    key: part(key, batch * kvHeads + kvHead, keys),
    value: part(value, batch * kvHeads + kvHead, keys),
    queries,
    keys,
    headSize,
    causal: variant.type === 'causal',
  };
}
