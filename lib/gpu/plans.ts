import type { AdapterInfo, BlockTile } from '../attention/types';
import type { AttentionShape } from '../spec/kinds/attention';
import type { KernelVariant } from './pipelines';
import { fitsTexels, rowsPerLine, texelConstants } from './texels';

/** Most rows of queries for which the split-KV kernels are used. */
export const DECODE_QUERIES = 8;

interface PlanBase {
  readonly id: string;
  readonly label: string;
  readonly needsSubgroups: boolean;
  /** Of kernels that unroll over the head size, and grow with it. */
  readonly maxHeadSize?: number;
  readonly blockKeys: number;
  /** Keys and values are bound as textures: f32 or f16, where they fit. */
  readonly readsTexels?: boolean;
  /** A plan that software adapters need not compile beside this one: the same with slower loads. */
  readonly insteadOf?: string;
  kernel(shape: AttentionShape): KernelVariant;
  /** Workgroups over the head size: a kernel that holds a part of the output repeats the scores. */
  chunks(shape: AttentionShape): number;
}

/** One workgroup per query block and head. */
export interface PrefillPlan extends PlanBase {
  readonly family: 'prefill';
  readonly blockQueries: number;
  /** Takes the mask of partial blocks as bits where there are any; blocks have 32 keys. */
  readonly readsWords?: boolean;
}

/** Split-KV: workgroups over splits of the keys, then a merge. */
export interface DecodePlan extends PlanBase {
  readonly family: 'decode';
  /** Rows of one KV head's group that a workgroup handles together. */
  readonly rowsPerGroup: number;
  readonly splitsPerWorkgroup: number;
}

export type AttentionPlan = PrefillPlan | DecodePlan;

/** Most vec4 of an output row that a lane of a quad holds. */
const MAX_SLICES = 8;

/** A kernel unrolled over more dimensions takes seconds to compile. */
const MAX_UNROLLED_HEAD_SIZE = 128;

const quadSlices = (shape: AttentionShape) => Math.min(MAX_SLICES, Math.ceil(shape.headSize / 16));
const quadChunks = (shape: AttentionShape) => Math.ceil(shape.headSize / (16 * quadSlices(shape)));

/** @param keySteps keys of a block per lane: more of them share each loaded query */
function quadPrefill(rows: number, workgroup: number, keySteps = 4): PrefillPlan {
  const quads = workgroup / 4;
  return {
    id: `quad-${rows}x${quads}`,
    label: `registers, ${rows} rows per quad, ${quads} quad${quads > 1 ? 's' : ''} per workgroup`,
    family: 'prefill',
    needsSubgroups: true,
    blockQueries: rows * quads,
    blockKeys: 4 * keySteps,
    kernel: (shape) => ({
      file: 'attention-quad.wgsl',
      constants: { ROW_GROUPS: rows / 4, KEY_STEPS: keySteps, SLICES: quadSlices(shape) },
      overrides: { WORKGROUP: workgroup },
    }),
    chunks: quadChunks,
  };
}

/** @param readsTexels keys and values in textures */
function rowsPrefill(rows: number, workgroup: number, readsTexels = false): PrefillPlan {
  const blockGroups = 8;
  return {
    id: `${readsTexels ? 'texels' : 'rows'}-${rows}x${workgroup}`,
    label: `whole rows in registers, ${rows} per lane, ${workgroup} lanes per workgroup${readsTexels ? ', keys in textures' : ''}`,
    family: 'prefill',
    needsSubgroups: true,
    readsTexels,
    readsWords: true,
    ...(readsTexels ? { insteadOf: `rows-${rows}x${workgroup}` } : {}),
    maxHeadSize: MAX_UNROLLED_HEAD_SIZE,
    blockQueries: rows * workgroup,
    blockKeys: 4 * blockGroups,
    kernel: (shape) => ({
      file: readsTexels ? 'attention-texels.wgsl' : 'attention-rows.wgsl',
      constants: {
        ROWS: rows,
        DIMS: shape.headSize / 4,
        BLOCK_GROUPS: blockGroups,
        ...(readsTexels ? { ROWS_PER_LINE: rowsPerLine(shape.headSize / 4) } : {}),
      },
      overrides: { WORKGROUP: workgroup },
    }),
    chunks: () => 1,
  };
}

function quadDecode(rows: number): DecodePlan {
  const workgroup = 16;
  return {
    id: `quad-split-${rows}`,
    label: `split-KV in registers, ${rows} row${rows > 1 ? 's' : ''} per quad`,
    family: 'decode',
    needsSubgroups: true,
    blockKeys: 32,
    rowsPerGroup: rows,
    splitsPerWorkgroup: workgroup / 4,
    kernel: (shape) => ({
      file: 'decode-quad.wgsl',
      constants: { ROWS: rows, KEY_STEPS: 8, SLICES: quadSlices(shape) },
      overrides: { WORKGROUP: workgroup },
    }),
    chunks: quadChunks,
  };
}

function lanesDecode(rows: number): DecodePlan {
  const workgroup = 16;
  const blockGroups = 16;
  return {
    id: `lanes-split-${rows}`,
    label: `split-KV, a key per lane, ${rows} row${rows > 1 ? 's' : ''} per quad`,
    family: 'decode',
    needsSubgroups: true,
    maxHeadSize: MAX_UNROLLED_HEAD_SIZE,
    blockKeys: 4 * blockGroups,
    rowsPerGroup: rows,
    splitsPerWorkgroup: workgroup / 4,
    kernel: (shape) => ({
      file: 'decode-lanes.wgsl',
      constants: {
        ROWS: rows,
        DIMS: shape.headSize / 4,
        SLICES: Math.ceil(shape.headSize / 16),
        BLOCK_GROUPS: blockGroups,
      },
      overrides: { WORKGROUP: workgroup },
    }),
    chunks: () => 1,
  };
}

function texelsDecode(rows: number): DecodePlan {
  const workgroup = 16;
  const blockKeys = 64;
  return {
    id: `texels-split-${rows}`,
    label: `split-KV over textures, ${rows} row${rows > 1 ? 's' : ''} per quad`,
    family: 'decode',
    needsSubgroups: true,
    readsTexels: true,
    blockKeys,
    rowsPerGroup: rows,
    splitsPerWorkgroup: workgroup / 4,
    kernel: ({ headSize }) => ({
      file: 'decode-texels.wgsl',
      constants: {
        ...texelConstants(headSize),
        ROWS: rows,
        BLOCK_PAIRS: blockKeys / 2,
      },
      overrides: { WORKGROUP: workgroup },
    }),
    chunks: () => 1,
  };
}

const TILE_PREFILL: PrefillPlan = {
  id: 'tile-32x32',
  label: 'shared memory, 32 queries x 32 keys',
  family: 'prefill',
  needsSubgroups: false,
  blockQueries: 32,
  blockKeys: 32,
  kernel: (shape) => ({
    file: 'attention-tile.wgsl',
    constants: { SLICES: Math.ceil(shape.headSize / 32) },
  }),
  chunks: () => 1,
};

const TILE_DECODE: DecodePlan = {
  id: 'tile-split',
  label: 'split-KV through shared memory, 64 keys',
  family: 'decode',
  needsSubgroups: false,
  blockKeys: 64,
  rowsPerGroup: 1,
  splitsPerWorkgroup: 1,
  kernel: () => ({ file: 'decode-tile.wgsl' }),
  chunks: () => 1,
};

export const PLANS: readonly AttentionPlan[] = [
  rowsPrefill(8, 4, true),
  rowsPrefill(8, 4),
  quadPrefill(8, 64),
  TILE_PREFILL,
  texelsDecode(1),
  texelsDecode(2),
  texelsDecode(4),
  lanesDecode(4),
  quadDecode(1),
  quadDecode(4),
  TILE_DECODE,
];

export function planById(id: string): AttentionPlan {
  const plan = PLANS.find((each) => each.id === id);
  if (plan === undefined) throw new Error(`unknown plan: ${id}`);
  return plan;
}

/** Rows of queries that share one KV head. */
export function rowsPerKvHead(shape: AttentionShape): number {
  return shape.queries * (shape.queryHeads / shape.kvHeads);
}

export function familyOf(shape: AttentionShape): AttentionPlan['family'] {
  return shape.queries <= DECODE_QUERIES ? 'decode' : 'prefill';
}

/** Plans worth measuring for a shape on an adapter. */
export function candidatePlans(shape: AttentionShape, info: AdapterInfo): AttentionPlan[] {
  const plans = PLANS.filter(
    (plan) =>
      plan.family === familyOf(shape) &&
      shape.headSize <= (plan.maxHeadSize ?? Number.POSITIVE_INFINITY) &&
      (info.hasSubgroups || !plan.needsSubgroups) &&
      (plan.readsTexels !== true || fitsTexels(shape)) &&
      (plan.family === 'prefill' || plan.rowsPerGroup <= rowsPerKvHead(shape)),
  );
  if (!info.isFallback) return plans;
  const needless = new Set(plans.map(({ insteadOf }) => insteadOf));
  return plans.filter(({ id }) => !needless.has(id));
}

/** Queries per block of the block list that a plan walks. */
export function planBlockQueries(plan: AttentionPlan, shape: AttentionShape): number {
  return plan.family === 'prefill' ? plan.blockQueries : shape.queries;
}

/**
 * Splits of the list of key blocks: about 1,024 workers over the machine, but at least four
 * blocks each, so that the merge stays small.
 */
export function planSplits(
  plan: DecodePlan,
  shape: AttentionShape,
  entries: number,
): { readonly splits: number; readonly entriesPerSplit: number } {
  const rowGroups = Math.ceil(rowsPerKvHead(shape) / plan.rowsPerGroup);
  const wanted = Math.ceil(1024 / (shape.batch * shape.kvHeads * rowGroups));
  const most = Math.max(1, Math.min(wanted, Math.ceil(entries / 4)));
  const entriesPerSplit = Math.max(1, Math.ceil(entries / most));
  return { splits: Math.max(1, Math.ceil(entries / entriesPerSplit)), entriesPerSplit };
}

/** Heads that share a block list: a decode kernel walks one for all query heads of a KV head. */
export function headsOfList(
  shape: AttentionShape,
  engine: BlockTile['engine'],
  head: number,
): readonly [first: number, last: number] {
  if (engine !== 'webgpu' || familyOf(shape) !== 'decode') return [head, head];
  const perGroup = shape.queryHeads / shape.kvHeads;
  const first = head - (head % perGroup);
  return [first, first + perGroup - 1];
}
