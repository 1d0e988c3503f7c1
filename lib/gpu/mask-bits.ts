import type { AttentionProgram } from '../attention/program';
import type { FormulaNode } from '../formula/tree';
import { bind } from './bind';
import type { GpuDevice } from './device';
import { abortable } from './jobs';
import type { PackedBlockList } from './packed-list';
import type { DispatchParams } from './params';
import type { AttentionPlan } from './plans';
import { submitSlices } from './submit-slices';
import { variantSlots } from './variant-slots';

/** 8 MiB; of a list with more partial blocks the kernel tests the formula. */
const MAX_WORDS = 2 ** 21;
/** Estimated time of a partial block's words, on a software adapter; it decides the length of a submit. */
const SECONDS_PER_BLOCK = 40e-6;
const TARGET_SUBMIT_SECONDS = 0.008;

const readsTable = (node: FormulaNode): boolean =>
  node.kind === 'table' || (node.kind === 'call' && node.args.some(readsTable));

/** A block list with room for a bit per element of its partial blocks behind it. */
export interface ListWithWords {
  readonly list: PackedBlockList;
  /** The list's entries, where the words of each list row begin, and the words, which are still 0. */
  readonly entries: Uint32Array<ArrayBuffer>;
  /** Where the begins of list rows stand in `entries`. */
  readonly wordRows: number;
}

/**
 * Room for the bits of a list's partial blocks, a word per query row and 32 keys. Undefined where
 * the kernel tests the formula instead: the plan reads no bits, the mask reads no table (a formula of
 * comparisons costs no more than bits), nothing is partial, or the words are too many.
 */
export function withWords(
  plan: AttentionPlan,
  { mask }: Pick<AttentionProgram, 'mask'>,
  list: PackedBlockList,
): ListWithWords | undefined {
  if (plan.family !== 'prefill' || plan.readsWords !== true || plan.blockKeys > 32)
    return undefined;
  const words = list.partial * plan.blockQueries;
  if (mask === undefined || !readsTable(mask) || words === 0 || words > MAX_WORDS) return undefined;
  const wordRows = list.entries.length;
  const count = list.rows.length / 2;
  const entries = new Uint32Array(wordRows + count + words);
  entries.set(list.entries);
  let at = wordRows + count;
  for (let row = 0; row < count; row++) {
    entries[wordRows + row] = at;
    // The last of each list only tells where the one before ends.
    if (row % (list.queryBlocks + 1) === list.queryBlocks) continue;
    const end = list.rows[2 * row + 2]!;
    at += (end - list.rows[2 * row]! - list.rows[2 * row + 1]!) * plan.blockQueries;
  }
  return { list, entries, wordRows };
}

/**
 * Fills the words on the device, by the mask's formula and element by element: once per call, where
 * the kernel would test them in every run and pay for the code in every block.
 *
 * @param writeParams puts these into the uniform buffer
 */
export async function fillWords(
  gpu: GpuDevice,
  program: AttentionProgram,
  { list }: ListWithWords,
  buffers: {
    readonly tables: GPUBuffer;
    readonly listRows: GPUBuffer;
    readonly entries: GPUBuffer;
    readonly uniform: GPUBuffer;
  },
  options: {
    readonly blockQueries: number;
    readonly blockKeys: number;
    readonly writeParams: (params: DispatchParams) => void;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<void> {
  const { mask1 } = variantSlots(program);
  const compiled = gpu.pipelines.get({
    file: 'mask-bits.wgsl',
    slots: mask1 === undefined ? {} : { mask1 },
    constants: { BLOCK_KEYS: options.blockKeys },
    overrides: { WORKGROUP: options.blockQueries },
  });
  const pipeline = await abortable(gpu.settle(compiled), options.signal);
  const { tables, listRows, entries, uniform } = buffers;
  const bindings = bind(gpu, pipeline, [tables, listRows, entries, uniform]);
  const seconds = Float64Array.from(list.blockPartials, (n) => n * SECONDS_PER_BLOCK);
  for (const slice of submitSlices(seconds, list.lists, TARGET_SUBMIT_SECONDS, 1)) {
    options.signal?.throwIfAborted();
    options.writeParams({ blockStart: slice.blockStart, headStart: slice.headStart });
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindings);
    pass.dispatchWorkgroups(slice.blocks, slice.heads);
    pass.end();
    gpu.device.queue.submit([encoder.finish()]);
    await gpu.settle(gpu.device.queue.onSubmittedWorkDone());
  }
}
