import { hasNormaliser, isDeltaRule } from '../attention/recurrent/rule';
import type { RecurrentShape, StateRule } from '../attention/recurrent/types';
import type { AdapterInfo } from '../attention/types';
import type { KernelVariant } from './pipelines';

/** Largest number of key channels whose state fits the registers of a kernel. */
export const MAX_KEY_SIZE = 128;

/**
 * What one walk over tokens is for: outputs and the state, the state alone (a prefix), the states
 * of chunks from zero with the products of their decays, or the outputs of chunks whose states at
 * the start are known.
 */
export type WalkPart = 'tokens' | 'prefix' | 'chunk states' | 'chunk outputs';

export interface RecurrentPlan {
  readonly id: string;
  readonly label: string;
  readonly needsSubgroups: boolean;
  /**
   * Tokens of a chunk: all chunks run at once, first for their states, then for their outputs, half
   * as much work again for that many times the parallelism. Undefined where tokens follow each other.
   */
  readonly chunkTokens: number | undefined;
  kernel(rule: StateRule, shape: RecurrentShape, part: WalkPart): KernelVariant;
  /** Workgroups over the value columns of one head. */
  workgroups(shape: RecurrentShape): number;
}

/** How a rule decays its state, as the kernels tell it apart. */
export function decayKind(rule: StateRule): 'none' | 'scalar' | 'channels' {
  if (rule.type === 'gated') return 'channels';
  return ['retnet', 'ssd', 'gated-delta'].includes(rule.type) ? 'scalar' : 'none';
}

function ruleConstants(rule: StateRule, part: WalkPart) {
  const decay = decayKind(rule);
  return {
    DECAYS_SCALAR: Number(decay === 'scalar'),
    DECAYS_CHANNELS: Number(decay === 'channels'),
    DELTA: Number(isDeltaRule(rule)),
    NORMALISES: Number(hasNormaliser(rule)),
    WRITES_OUTPUT: Number(part === 'tokens' || part === 'chunk outputs'),
  };
}

/** @param columns value columns per quad: more of them share each loaded query and key */
function quad(
  columns: 4 | 8 | 16,
  quads: number,
  chunkTokens: number | undefined = undefined,
): RecurrentPlan {
  const chunks = chunkTokens === undefined ? '' : `-chunks-${chunkTokens}`;
  return {
    id: `recurrent-quad-${columns}x${quads}${chunks}`,
    label: `state in registers, ${columns} value columns per quad${chunkTokens === undefined ? '' : `, chunks of ${chunkTokens}`}`,
    needsSubgroups: true,
    chunkTokens,
    kernel: (rule, shape, part) => ({
      file: 'recurrent-quad.wgsl',
      constants: {
        ...ruleConstants(rule, part),
        KEY_SLICES: Math.ceil(shape.keySize / 16),
        COLUMN_GROUPS: columns / 4,
        READS_STATE: Number(part !== 'chunk states'),
        WRITES_STATE: Number(part !== 'chunk outputs'),
        WRITES_DECAY: Number(part === 'chunk states'),
      },
      overrides: { WORKGROUP: 4 * quads },
    }),
    workgroups: ({ valueSize }) => Math.ceil(valueSize / (columns * quads)),
  };
}

/** @param columns value columns per quad: more of them share each loaded query and key */
function fours(columns: 16 | 32): RecurrentPlan {
  return {
    id: `recurrent-fours-${columns}`,
    label: `state in registers, four tokens at once, ${columns} value columns per quad`,
    needsSubgroups: true,
    chunkTokens: undefined,
    kernel: (rule, shape, part) => ({
      file: 'recurrent-fours.wgsl',
      constants: {
        ...ruleConstants(rule, part),
        DECAYS: Number(decayKind(rule) !== 'none'),
        MASKS_KEYS: Number(hasNormaliser(rule) || shape.keySize % 16 !== 0),
        KEY_SLICES: Math.ceil(shape.keySize / 16),
        COLUMN_GROUPS: columns / 16,
      },
      overrides: { WORKGROUP: 4 },
    }),
    workgroups: ({ valueSize }) => Math.ceil(valueSize / columns),
  };
}

const LANE_WORKGROUP = 16;

const LANE: RecurrentPlan = {
  id: 'recurrent-lane',
  label: 'state in registers, one value column per lane',
  needsSubgroups: false,
  chunkTokens: undefined,
  kernel: (rule, shape, part) => ({
    file: 'recurrent-lane.wgsl',
    constants: { ...ruleConstants(rule, part), KEY_VECTORS: Math.ceil(shape.keySize / 4) },
    overrides: { WORKGROUP: LANE_WORKGROUP },
  }),
  workgroups: ({ valueSize }) => Math.ceil((4 * Math.ceil(valueSize / 4)) / LANE_WORKGROUP),
};

const QUAD_NARROW = quad(4, 1);
const QUAD = quad(8, 1);
const QUAD_WIDE = quad(16, 1);
const QUAD_CHUNKS = quad(4, 4, 64);
const FOURS_NARROW = fours(16);
const FOURS = fours(32);

export const RECURRENT_PLANS: readonly RecurrentPlan[] = [
  QUAD_NARROW,
  QUAD,
  QUAD_WIDE,
  QUAD_CHUNKS,
  FOURS_NARROW,
  FOURS,
  LANE,
];

/** Whether a plan computes a rule: chunks of a delta rule do not join by a product of decays. */
export function supportsRule(plan: RecurrentPlan, rule: StateRule): boolean {
  return plan.chunkTokens === undefined || !isDeltaRule(rule);
}

/**
 * The plan for an adapter. A software adapter has few processors, slow loads and slower writes, so
 * its quads take four tokens at once and share them among as many columns as compile within a
 * second or so and stay in the first-level cache; a GPU wants parallelism first: chunks,
 * or for the delta rules few columns per quad. Without subgroups one lane per column.
 */
export function defaultRecurrentPlan(
  info: Pick<AdapterInfo, 'hasSubgroups' | 'isFallback'>,
  rule: StateRule,
  shape: RecurrentShape,
): RecurrentPlan {
  if (!info.hasSubgroups) return LANE;
  if (info.isFallback) {
    return shape.keySize <= 64 && shape.valueSize > 16 ? FOURS : FOURS_NARROW;
  }
  const isLong = shape.tokens > 2 * QUAD_CHUNKS.chunkTokens!;
  return isLong && supportsRule(QUAD_CHUNKS, rule) ? QUAD_CHUNKS : QUAD_NARROW;
}

export function recurrentPlanById(id: string): RecurrentPlan {
  const plan = RECURRENT_PLANS.find((each) => each.id === id);
  if (plan === undefined) throw new Error(`unknown recurrent plan: ${id}`);
  return plan;
}
