import type { PromptContent, RequestPrograms, Workload } from './types';

/** The columns of a workload, without what is said about it. */
export type RequestColumns = Pick<
  Workload,
  | 'arrivalSeconds'
  | 'promptTokens'
  | 'outputTokens'
  | 'content'
  | 'priority'
  | 'clientIds'
  | 'programs'
  | 'limits'
  | 'items'
>;

/** The places 0..count-1 in order of time; equal times keep their order. */
export function timeOrder(arrivalSeconds: Float64Array): Uint32Array {
  const order = Uint32Array.from(arrivalSeconds.keys());
  let isSorted = true;
  for (let i = 1; i < arrivalSeconds.length && isSorted; i++)
    isSorted = (arrivalSeconds[i] as number) >= (arrivalSeconds[i - 1] as number);
  if (isSorted) return order;
  return order.sort(
    (a, b) => (arrivalSeconds[a] as number) - (arrivalSeconds[b] as number) || a - b,
  );
}

/**
 * The requests in another order, every column of them: request i is then what `order[i]` was.
 * @throws RangeError where a request would stand before one that it comes of
 */
export function reorder(columns: RequestColumns, order: Uint32Array): RequestColumns {
  const { arrivalSeconds, content, priority, clientIds, programs, limits, items } = columns;
  const turn = (column: Int32Array): Int32Array =>
    Int32Array.from(order, (row) => column[row] as number);
  return {
    arrivalSeconds: Float64Array.from(order, (row) => arrivalSeconds[row] as number),
    promptTokens: turn(columns.promptTokens),
    outputTokens: turn(columns.outputTokens),
    ...(content !== undefined && { content: reorderContent(content, order) }),
    ...(priority !== undefined && { priority: turn(priority) }),
    ...(clientIds !== undefined && { clientIds: turn(clientIds) }),
    ...(programs !== undefined && { programs: reorderPrograms(programs, order) }),
    ...(limits !== undefined && {
      limits: {
        kinds: Uint8Array.from(order, (row) => limits.kinds[row] as number),
        groupIds: turn(limits.groupIds),
        firstTokenSeconds: Float64Array.from(
          order,
          (row) => limits.firstTokenSeconds[row] as number,
        ),
        lastTokenSeconds: Float64Array.from(order, (row) => limits.lastTokenSeconds[row] as number),
      },
    }),
    ...(items !== undefined && { items: turn(items) }),
  };
}

function reorderContent(content: PromptContent, order: Uint32Array): PromptContent {
  const { offsets, ids } = reorderLists(content.offsets, content.ids, order);
  return { ...content, offsets, ids };
}

function reorderPrograms(programs: RequestPrograms, order: Uint32Array): RequestPrograms {
  const placeOf = new Int32Array(order.length);
  order.forEach((row, i) => {
    placeOf[row] = i;
  });
  const { offsets, ids } = reorderLists(programs.offsets, programs.predecessors, order);
  const predecessors = ids.map((before) => placeOf[before] as number);
  for (let i = 0; i < order.length; i++) {
    for (let at = offsets[i] as number; at < (offsets[i + 1] as number); at++) {
      const before = predecessors[at] as number;
      if (before >= i)
        throw new RangeError(
          `invalid order: request ${i} comes of request ${before}, not below it`,
        );
    }
  }
  return {
    programIds: Int32Array.from(order, (row) => programs.programIds[row] as number),
    offsets,
    predecessors,
    gapSeconds: Float64Array.from(order, (row) => programs.gapSeconds[row] as number),
    ...(programs.tools !== undefined && {
      tools: Int32Array.from(order, (row) => programs.tools?.[row] as number),
    }),
  };
}

/** Lists of integers, packed one after the other, in another order. */
function reorderLists(
  offsets: Int32Array,
  ids: Int32Array,
  order: Uint32Array,
): { readonly offsets: Int32Array; readonly ids: Int32Array } {
  const outOffsets = new Int32Array(order.length + 1);
  const outIds = new Int32Array(ids.length);
  let at = 0;
  for (let i = 0; i < order.length; i++) {
    const row = order[i] as number;
    const part = ids.subarray(offsets[row], offsets[row + 1]);
    outIds.set(part, at);
    at += part.length;
    outOffsets[i + 1] = at;
  }
  return { offsets: outOffsets, ids: outIds };
}
